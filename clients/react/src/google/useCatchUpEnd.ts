/**
 * Tells when a catch-up that was seen under way is over, in the words of what caused it where this page did. Its steps are
 * not told: they would drown the reader.
 */
import { useEffect, useRef } from "react";
import { useHost } from "../host/host";
import type { Translate } from "../i18n/message";
import { keys } from "../query/keys";
import { useAnnounce } from "../ui/Announcements";
import type { CatchUpJson, IntegrationStatusJson, SettingsBody } from "../wire";
import { isConnected } from "./health";

/** Follows `status` for as long as the page is shown. */
export function useCatchUpEnd(status: IntegrationStatusJson | undefined): void {
  const { client, queryClient, t } = useHost();
  const announce = useAnnounce();
  const last = useRef<CatchUpJson | null>(null);
  useEffect(() => {
    if (status === undefined) return;
    const before = last.current;
    last.current = status.catchUp;
    if (!before || status.catchUp || !isConnected(status)) return;
    const queryKey = keys.catchUpCause(client);
    const cause = queryClient.getQueryData<SettingsBody>(queryKey);
    queryClient.removeQueries({ queryKey });
    if (before.failed > 0) announce(t("progress.finishedWithFailures", { count: before.failed }), "danger");
    else announce(endText(cause ?? {}, before.total, status, t));
  }, [status, client, queryClient, announce, t]);
}

function endText(cause: SettingsBody, count: number, status: IntegrationStatusJson, t: Translate): string {
  if (cause.calendarId !== undefined) {
    return t("progress.finishedMove", { count, calendar: status.calendar?.name ?? "" });
  }
  if (cause.titlePrivacy !== undefined) return t("progress.finishedTitles", { count });
  if (cause.isEnabled !== undefined) return t("progress.finishedSending", { count });
  return t("progress.finished");
}
