import type { ReactElement } from "react";
import { useHost } from "../host/host";
import type { MessageKey } from "../i18n/catalogue";
import { Points } from "../ui/Points";

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
      <Points title={t("connection.sent")} points={SENT.map((key) => t(key))} isTicked />
      <Points title={t("connection.kept")} points={KEPT.map((key) => t(key))} isTicked={false} />
    </div>
  );
}
