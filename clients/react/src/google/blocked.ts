/** Why something on the page is not to be had, in words: whoever presses it, or reaches it by keyboard, is told. */
import type { Translate } from "../i18n/message";
import type { IntegrationStatusJson } from "../wire";

/** Why Google cannot be asked by a person's word, as it can during a pause; `null` if it can. */
export function whyNotAsk(status: IntegrationStatusJson, isOnline: boolean, t: Translate): string | null {
  if (!isOnline) return t("blocked.offline");
  if (status.problem && status.problem.action !== "wait") {
    switch (status.problem.action) {
      case "reconnect":
        return t("blocked.reconnect");
      case "choose_calendar":
        return t("blocked.chooseCalendar");
      case "contact_operator":
      case "none":
        return t("blocked.operator");
    }
  }
  return status.state === "error" ? t("blocked.operator") : null;
}

/** Why nothing can be sent to Google by a person's word; `null` if it can. */
export function whyNotSend(status: IntegrationStatusJson, isOnline: boolean, t: Translate): string | null {
  return whyNotAsk(status, isOnline, t) ?? (status.isEnabled ? null : t("blocked.paused"));
}

/** Why no calendar can be chosen; `null` if one can. */
export function whyNotChoose(status: IntegrationStatusJson, isOnline: boolean, t: Translate): string | null {
  if (!isOnline) return t("blocked.offline");
  return status.problem?.action === "reconnect" ? t("blocked.reconnect") : null;
}

/** Why nothing can be changed at all; `null` if it can. */
export function whyOffline(isOnline: boolean, t: Translate): string | null {
  return isOnline ? null : t("blocked.offline");
}
