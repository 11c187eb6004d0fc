import type { ReactElement } from "react";
import { useHost } from "../host/host";
import { useDisconnect } from "../query/mutations";
import { Action } from "../ui/Action";
import { useAnnounce } from "../ui/Announcements";
import { ClockIcon } from "../ui/icons";
import { Notice } from "../ui/Notice";
import type { IntegrationStatusJson } from "../wire";
import { whyOffline } from "./blocked";
import { failureText } from "./failureText";
import { ProgressLine } from "./SyncProgress";

/** A disconnect under way: how far it is, and the way to end it at once without deleting any more events. */
export function Disconnecting(props: {
  readonly status: IntegrationStatusJson;
  readonly isOnline: boolean;
}): ReactElement {
  const { status, isOnline } = props;
  const { t } = useHost();
  const announce = useAnnounce();
  const disconnect = useDisconnect();
  const progress = status.disconnect;
  const hasDeletions = progress !== null && progress.total > 0;
  const endNow = () =>
    disconnect.mutate({ remoteEvents: "keep" }, { onError: (failure) => announce(failureText(failure, t), "danger") });
  return (
    <Notice
      tone="neutral"
      icon={<ClockIcon />}
      title={t("state.disconnecting")}
      {...(hasDeletions
        ? {
            actions: (
              <Action isPending={disconnect.isPending} blocked={whyOffline(isOnline, t)} onPress={endNow}>
                {t("disconnecting.endNow")}
              </Action>
            ),
          }
        : {})}
    >
      <p>{t("disconnecting.body")}</p>
      {hasDeletions ? <ProgressLine label={t("disconnecting.progress")} progress={progress} /> : null}
    </Notice>
  );
}
