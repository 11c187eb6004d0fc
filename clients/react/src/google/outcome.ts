/**
 * How the consent came out, as the way back says it in `?google=<word>`.
 * It is read once and taken out of the address, so that a reload or a bookmark does not tell it again.
 */
import { useEffect, useState, useSyncExternalStore } from "react";
import { addressBefore, outcomeWordOf } from "../host/returnPath";
import type { ConnectOutcome } from "../wire";

const OUTCOMES: readonly ConnectOutcome[] = [
  "connected",
  "denied",
  "blocked",
  "missing_scope",
  "expired",
  "other_account",
  "try_again",
  "failed",
];

/** Reads the outcome out of a query string; a word that is not known counts as `failed`. */
export function outcomeIn(search: string): ConnectOutcome | null {
  const word = outcomeWordOf(search);
  if (word === null) return null;
  return OUTCOMES.find((outcome) => outcome === word) ?? "failed";
}

/** Answers the outcome that the page was opened with; none while a host's server renders it. */
export function useOutcome(): ConnectOutcome | null {
  const [openedWith] = useState(readOnce);
  const outcome = useSyncExternalStore(neverChanges, openedWith, noOutcome);
  useEffect(() => {
    const address = addressBefore(window.location.href);
    if (address !== null) window.history.replaceState(window.history.state, "", address);
  }, []);
  return outcome;
}

// The first look is kept: the address is set right soon after.
function readOnce(): () => ConnectOutcome | null {
  let outcome: ConnectOutcome | null | undefined;
  return () => {
    if (outcome === undefined) outcome = outcomeIn(window.location.search);
    return outcome;
  };
}

const neverChanges = () => () => undefined;
const noOutcome = () => null;
