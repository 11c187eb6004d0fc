/** Why an appointment is not at Google, in words. */
import type { MessageKey } from "../i18n/catalogue";
import type { Translate } from "../i18n/message";
import type { LinkErrorJson } from "../wire";

const WORDED = [
  "EVENT_REFUSED",
  "RECONNECT_REQUIRED",
  "CALENDAR_UNAVAILABLE",
  "GOOGLE_UNAVAILABLE",
  "GOOGLE_THROTTLED",
  "GOOGLE_MISCONFIGURED",
  "ACCOUNT_UNAVAILABLE",
  "KEYRING_INCOMPLETE",
  "INTERNAL",
] as const;

/** The sentence for why the latest attempt did not succeed. */
export function reasonText(error: LinkErrorJson | null, t: Translate): string {
  const reason = WORDED.find((each) => each === error?.reason);
  const key: MessageKey & `reason.${string}` = reason ? `reason.${reason}` : "reason.unknown";
  return t(key);
}
