/** Switches the sync on or off, and tells what came of it. */
import { useHost } from "../host/host";
import { useUpdateSettings } from "../query/mutations";
import { useAnnounce } from "../ui/Announcements";
import type { IntegrationStatusJson } from "../wire";
import { failureText } from "./failureText";

/** Answers the function that switches, and whether that is under way. */
export function useEnable(): { readonly run: (isEnabled: boolean) => void; readonly isPending: boolean } {
  const { t } = useHost();
  const announce = useAnnounce();
  const update = useUpdateSettings();
  const run = (isEnabled: boolean) => {
    // A promise, not a callback of `mutate`: that of an earlier press would be dropped with a later one.
    update
      .mutateAsync({ isEnabled })
      .then((status) => announce(isEnabled ? onText(status) : t("options.enabledOff")))
      .catch((failure: unknown) => announce(`${t("options.rolledBack")} ${failureText(failure, t)}`, "danger"));
  };
  // Switching on sends by itself what was kept: what waited, and what a catch-up has found.
  const onText = ({ counts, catchUp }: IntegrationStatusJson) => {
    const count = Math.max(counts.pending, catchUp?.total ?? 0);
    return count > 0 ? `${t("options.enabledOn")} ${t("progress.queued", { count })}` : t("options.enabledOn");
  };
  return { run, isPending: update.isPending };
}
