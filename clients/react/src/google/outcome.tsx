/**
 * How the consent came out, as the way back says it in `?google=<word>`, and whether an access that nobody keeps may still
 * stand at Google.
 * It is read once and taken out of the address, so that a reload or a bookmark does not tell it again; and it is told until
 * the next thing happens: a change of the integration, an action, or the reader takes it away.
 */
import { useIsMutating } from "@tanstack/react-query";
import { useCallback, useEffect, useState, useSyncExternalStore } from "react";
import { useHost } from "../host/host";
import { addressBefore, grantWordOf, outcomeWordOf } from "../host/returnPath";
import type { Translate } from "../i18n/message";
import { keys } from "../query/keys";
import { AlertIcon, CheckIcon, ClockIcon } from "../ui/icons";
import type { NoticeProps } from "../ui/Notice";
import type { Tone } from "../ui/Pill";
import type { ConnectOutcome, IntegrationStatusJson } from "../wire";
import { problemNotice } from "./problem";
import { healthOf } from "./health";

// A consent that somebody called off is no fault of anything.
const TONES: Readonly<Record<ConnectOutcome, Tone>> = {
  connected: "success",
  denied: "neutral",
  blocked: "danger",
  missing_scope: "warning",
  expired: "warning",
  other_account: "warning",
  try_again: "warning",
  failed: "danger",
};

/** What became of an access that nobody keeps, where it may still stand. */
type UnendedGrant = "pending" | "refused";

interface Outcome {
  readonly word: ConnectOutcome;
  readonly grant: UnendedGrant | null;
}

/** The outcome that is told at the moment. */
export interface ShownOutcome {
  /** `null`: there is none, or no more. */
  readonly told: Outcome | null;
  /** Ends it. */
  readonly end: () => void;
}

/** Reads the outcome out of a query string; a word that is not known counts as `failed`. */
function outcomeIn(search: string): Outcome | null {
  const word = outcomeWordOf(search);
  if (word === null) return null;
  const grant = grantWordOf(search);
  return {
    word: word in TONES ? (word as ConnectOutcome) : "failed",
    grant: grant === "pending" || grant === "refused" ? grant : null,
  };
}

/**
 * Answers the outcome that the page was opened with, for as long as it is to be told; none while a host's server renders
 * it.
 */
export function useOutcome(status: IntegrationStatusJson | undefined): ShownOutcome {
  const { client, queryClient } = useHost();
  const [openedWith] = useState(readOnce);
  const outcome = useSyncExternalStore(neverChanges, openedWith, noOutcome);
  useEffect(() => {
    const address = addressBefore(window.location.href);
    if (address !== null) window.history.replaceState(window.history.state, "", address);
  }, []);
  const isActing = useIsMutating({ mutationKey: keys.all(client) }, queryClient) > 0;
  const [first, setFirst] = useState<string | null>(null);
  const [isOver, setOver] = useState(false);
  const now = status && digestOf(status);
  if (first === null && now !== undefined) setFirst(now);
  const hasChanged = first !== null && now !== undefined && now !== first;
  if (!isOver && (isActing || hasChanged)) setOver(true);
  const end = useCallback(() => setOver(true), []);
  return { told: isOver || isActing || hasChanged ? null : outcome, end };
}

/** The notice of an outcome; `null` where the health says more. An error stays told, with what came of mending it. */
export function outcomeNotice(
  { told, end }: ShownOutcome,
  status: IntegrationStatusJson | undefined,
  t: Translate,
): NoticeProps | null {
  // The question about another account is asked in its place.
  if (told === null || status?.pendingAccount) return null;
  const { word, grant } = told;
  if (word === "other_account") return null;
  const health = status && healthOf(status);
  const isGood = word === "connected";
  if (isGood && health !== undefined && health !== "working" && health !== "syncing") return null;
  const tone = TONES[word];
  const title = t(`outcome.${word}.title`);
  const ofGrant = grant === null ? "" : ` ${t(`disconnect.grant.${grant}`)}`;
  const body = t(`outcome.${word}.body`) + ofGrant;
  if (health === "stopped" && status?.problem) {
    return { ...problemNotice(status.problem, t), children: <p>{`${title} ${body}`}</p>, onClose: end };
  }
  const icon = isGood ? <CheckIcon /> : tone === "neutral" ? <ClockIcon /> : <AlertIcon />;
  return { tone, icon, title, children: <p>{body}</p>, onClose: end };
}

function digestOf(status: IntegrationStatusJson): string {
  const { state, problem, isEnabled, titlePrivacy, calendar, googleEmail, pendingAccount, catchUp, counts } = status;
  return JSON.stringify([
    [state, problem?.reason, isEnabled, titlePrivacy, calendar?.id, googleEmail, pendingAccount?.googleEmail],
    // Whatever is told in its place ends it, too.
    [catchUp !== null, counts.error, healthOf(status)],
  ]);
}

// The first look is kept: the address is set right soon after.
function readOnce(): () => Outcome | null {
  let outcome: Outcome | null | undefined;
  return () => {
    if (outcome === undefined) outcome = outcomeIn(window.location.search);
    return outcome;
  };
}

const neverChanges = () => () => undefined;
const noOutcome = () => null;
