import type { ReactElement } from "react";
import { useOnline } from "../host/browser";
import { useHost } from "../host/host";
import type { MessageKey } from "../i18n/catalogue";
import { useConnect } from "../query/mutations";
import { Action } from "../ui/Action";
import { useAnnounce } from "../ui/Announcements";
import { CheckIcon, CrossIcon } from "../ui/icons";
import { failureText } from "./failureText";

type SentKey = MessageKey & `connection.${"sent" | "kept"}.${string}`;

const SENT: readonly SentKey[] = [
  "connection.sent.title",
  "connection.sent.time",
  "connection.sent.practitioner",
  "connection.sent.link",
];
const KEPT: readonly SentKey[] = [
  "connection.kept.record",
  "connection.kept.contact",
  "connection.kept.billing",
  "connection.kept.own",
];

/** What is said before a Google account is connected: what leaves Cassius and what never does. */
export function NotConnected(): ReactElement {
  const { t } = useHost();
  return (
    <div className="cc-pitch">
      <div>
        <p className="cc-pitch-title">{t("connection.pitch")}</p>
        <p className="cc-hint">{t("connection.pitchBody")}</p>
      </div>
      <div className="cc-pitch-lists">
        <Points title={t("connection.sent")} keys={SENT} isSent />
        <Points title={t("connection.kept")} keys={KEPT} isSent={false} />
      </div>
      <ConnectAction label={t("connection.connect")} />
    </div>
  );
}

/** The button that starts the consent; it leaves the page. */
export function ConnectAction({ label }: { readonly label: string }): ReactElement {
  const { t } = useHost();
  const isOnline = useOnline();
  const announce = useAnnounce();
  const connect = useConnect();
  // Still pending after success: the browser is on its way to Google.
  const isLeaving = connect.isPending || connect.isSuccess;
  return (
    <Action
      weight="primary"
      isPending={isLeaving}
      isBlocked={!isOnline}
      onPress={() => connect.mutate(undefined, { onError: (failure) => announce(failureText(failure, t), "danger") })}
    >
      {isLeaving ? t("connection.connecting") : label}
    </Action>
  );
}

function Points(props: {
  readonly title: string;
  readonly keys: readonly SentKey[];
  readonly isSent: boolean;
}): ReactElement {
  const { t } = useHost();
  return (
    <div className={props.isSent ? "cc-points cc-points-sent" : "cc-points cc-points-kept"}>
      <h3 className="cc-points-title">{props.title}</h3>
      <ul>
        {props.keys.map((key) => (
          <li key={key}>
            {props.isSent ? <CheckIcon /> : <CrossIcon />}
            <span>{t(key)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
