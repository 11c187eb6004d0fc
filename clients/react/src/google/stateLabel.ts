/** What a status means in one word, the same word everywhere it is shown. */
import type { MessageKey } from "../i18n/catalogue";
import type { Tone } from "../ui/Pill";
import type { IntegrationStatusJson } from "../wire";

/** A state in a word and its colour. */
export interface StateLabel {
  readonly key: MessageKey & `state.${string}`;
  readonly tone: Tone;
}

/** Says how the connection stands: not connected, connected, in error. */
export function connectionLabel(status: IntegrationStatusJson): StateLabel {
  switch (status.state) {
    case "not_connected":
      return { key: "state.notConnected", tone: "neutral" };
    case "connected":
      return { key: "state.connected", tone: "success" };
    case "error":
      return { key: "state.error", tone: "danger" };
  }
}

/** Says how the sending stands: OK, in error, delayed, paused, under way. A delay is not an error. */
export function syncLabel(status: IntegrationStatusJson): StateLabel {
  if (status.state === "error") return { key: "state.failing", tone: "danger" };
  if (status.problem?.action === "wait") return { key: "state.delayed", tone: "warning" };
  if (!status.isEnabled) return { key: "state.paused", tone: "neutral" };
  if (status.problem) return { key: "state.failing", tone: "danger" };
  if (status.catchUp) return { key: "state.syncing", tone: "accent" };
  return status.counts.error > 0 ? { key: "state.failing", tone: "danger" } : { key: "state.ok", tone: "success" };
}
