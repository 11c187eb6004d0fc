/**
 * Tells when a catch-up that was seen under way is over, in the words of what caused it where this page did. Its steps are
 * not told: they would drown the reader.
 */
import { useEffect, useRef } from "react";
import { useHost } from "../host/host";
import type { Translate } from "../i18n/message";
import { keys } from "../query/keys";
import type { CatchUpCause } from "../query/mutations";
import { useAnnounce } from "../ui/Announcements";
import type { CatchUpJson, IntegrationStatusJson } from "../wire";
import { isConnected } from "./health";

interface LastSeen extends CatchUpJson {
  /** How many appointments stood in error apart from those of the catch-up. */
  readonly refusedBefore: number;
}

/** Follows `status` for as long as the page is shown. */
export function useCatchUpEnd(status: IntegrationStatusJson | undefined): void {
  const { client, queryClient, t } = useHost();
  const announce = useAnnounce();
  const last = useRef<LastSeen | null>(null);
  useEffect(() => {
    if (status === undefined) return;
    const before = last.current;
    last.current = status.catchUp && { ...status.catchUp, refusedBefore: status.counts.error - status.catchUp.failed };
    if (!before || status.catchUp || !isConnected(status)) return;
    const queryKey = keys.catchUpCause(client);
    const cause = queryClient.getQueryData<CatchUpCause>(queryKey);
    queryClient.removeQueries({ queryKey });
    // Its last steps may not have been seen: what stands in error at its end, and did not before it, was refused in them.
    const failed = Math.max(before.failed, status.counts.error - before.refusedBefore);
    if (failed > 0) announce(t("progress.finishedWithFailures", { count: failed }), "danger");
    else announce(endText(cause, before.total, status, t));
  }, [status, client, queryClient, announce, t]);
}

function endText(cause: CatchUpCause | undefined, count: number, status: IntegrationStatusJson, t: Translate): string {
  const { calendarId, titlePrivacy, isEnabled } = cause?.settings ?? {};
  if (calendarId !== undefined) {
    const words = cause?.wasCalendarLost ? "progress.finishedRecreated" : "progress.finishedMove";
    return t(words, { count, calendar: status.calendar?.name ?? "" });
  }
  if (titlePrivacy !== undefined) return t("progress.finishedTitles", { count });
  if (isEnabled !== undefined) return t("progress.finishedSending", { count });
  return t("progress.finished");
}
