import type { ReactElement } from "react";
import { useHost } from "../host/host";
import type { MessageKey } from "../i18n/catalogue";
import { CheckIcon, CrossIcon } from "../ui/icons";

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
    <div className="cc-pitch-lists">
      <Points title={t("connection.sent")} keys={SENT} isSent />
      <Points title={t("connection.kept")} keys={KEPT} isSent={false} />
    </div>
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
