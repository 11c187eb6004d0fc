/** Says why an action did not succeed and what to do, from the reason; never shows a technical message. */
import { RequestFailure } from "../api/failure";
import type { MessageKey } from "../i18n/catalogue";
import type { Translate } from "../i18n/message";

const BY_REASON: Readonly<Partial<Record<string, MessageKey & `failure.${string}`>>> = {
  NOT_CONNECTED: "failure.NOT_CONNECTED",
  RECONNECT_REQUIRED: "failure.RECONNECT_REQUIRED",
  CALENDAR_UNAVAILABLE: "failure.CALENDAR_UNAVAILABLE",
  GOOGLE_UNAVAILABLE: "failure.GOOGLE_UNAVAILABLE",
  GOOGLE_THROTTLED: "failure.GOOGLE_UNAVAILABLE",
  DISCONNECTING: "failure.DISCONNECTING",
  OVERLOADED: "failure.OVERLOADED",
  NO_PENDING_ACCOUNT: "failure.NO_PENDING_ACCOUNT",
};

/** Answers a sentence for a failure. */
export function failureText(failure: unknown, t: Translate): string {
  if (!(failure instanceof RequestFailure)) return t("failure.unknown");
  const known = failure.reason === null ? undefined : BY_REASON[failure.reason];
  if (known) return t(known as "failure.unknown");
  switch (failure.kind) {
    case "offline":
      return t("failure.offline");
    case "unavailable":
      return t("failure.unavailable");
    case "signed_out":
      return t("signedOut.title");
    case "foreign":
      return t("foreign.title");
    case "forbidden":
      return t("failure.forbidden");
    case "refused":
      return t("failure.unknown");
  }
}
