/**
 * How the consent came out, as the way back says it in `?google=<word>`.
 * It is read once and taken out of the address, so that a reload or a bookmark does not tell it again.
 */
import { useEffect, useState } from "react";
import type { ConnectOutcome } from "../wire";

const PARAMETER = "google";
const OUTCOMES: readonly ConnectOutcome[] = ["connected", "denied", "blocked", "missing_scope", "expired", "failed"];

/** Reads the outcome out of a query string; a word that is not known counts as `failed`. */
export function outcomeIn(search: string): ConnectOutcome | null {
  const word = new URLSearchParams(search).get(PARAMETER);
  if (word === null) return null;
  return OUTCOMES.find((outcome) => outcome === word) ?? "failed";
}

/** Answers the outcome that the page was opened with. */
export function useOutcome(): ConnectOutcome | null {
  const [outcome] = useState(() => outcomeIn(window.location.search));
  useEffect(() => {
    const url = new URL(window.location.href);
    if (!url.searchParams.has(PARAMETER)) return;
    url.searchParams.delete(PARAMETER);
    window.history.replaceState(window.history.state, "", url.pathname + url.search + url.hash);
  }, []);
  return outcome;
}
