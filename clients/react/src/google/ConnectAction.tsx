import type { ReactElement } from "react";
import { useOnline } from "../host/browser";
import { useHost } from "../host/host";
import { useConnect } from "../query/mutations";
import { Action, type ActionWeight } from "../ui/Action";
import { useAnnounce } from "../ui/Announcements";
import { whyOffline } from "./blocked";
import { failureText } from "./failureText";

/** The button that starts the consent; it leaves the page. */
export function ConnectAction(props: { readonly label: string; readonly weight?: ActionWeight }): ReactElement {
  const { label, weight = "primary" } = props;
  const { t, googleMark } = useHost();
  const isOnline = useOnline();
  const announce = useAnnounce();
  const connect = useConnect();
  // Still pending after success: the browser is on its way to Google.
  const isLeaving = connect.isPending || connect.isSuccess;
  return (
    <Action
      weight={weight}
      icon={googleMark}
      isPending={isLeaving}
      blocked={whyOffline(isOnline, t)}
      onPress={() => connect.mutate(undefined, { onError: (failure) => announce(failureText(failure, t), "danger") })}
    >
      {isLeaving ? t("connection.connecting") : label}
    </Action>
  );
}
