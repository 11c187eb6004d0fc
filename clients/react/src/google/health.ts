/**
 * How the integration is doing, derived in one place from everything that its status tells, so that the badge, the card, the
 * title, the notice below it and the row of the connection never disagree. Each has its own words for the same health.
 */
import type { MessageKey } from "../i18n/catalogue";
import type { Translate } from "../i18n/message";
import type { Tone } from "../ui/Pill";
import type { IntegrationStatusJson } from "../wire";

/** How the integration is doing, the gravest first: what stops everything, what was set so, what one has to see to. */
export type Health =
  | "not_connected"
  | "disconnecting"
  | "stopped"
  | "paused"
  | "refused"
  | "asked"
  | "delayed"
  | "unsent"
  | "syncing"
  | "behind"
  | "working";

/** The fragment of the page's address that leads to how the integration is doing. It is documented: hosts lead there too. */
export const HEALTH_ANCHOR = "google-calendar-standing";

/** Says how the integration is doing. A delay is not an error, and a pause sends nothing, whatever else is wrong. */
export function healthOf(status: IntegrationStatusJson): Health {
  const { state, problem, isEnabled, counts, catchUp, pendingAccount, behindCount } = status;
  if (state === "not_connected") return "not_connected";
  if (state === "disconnecting") return "disconnecting";
  if (state === "error") return "stopped";
  if (!isEnabled) return "paused";
  if (problem && problem.action !== "wait") return "stopped";
  if (counts.error > 0) return "refused";
  if (pendingAccount) return "asked";
  if (problem) return "delayed";
  if (catchUp) return "syncing";
  if (counts.unsent > 0) return "unsent";
  return behindCount > 0 ? "behind" : "working";
}

/** Whether there is an account to look after: one that is being disconnected is no longer. */
export function isConnected({ state }: IntegrationStatusJson): boolean {
  return state !== "not_connected" && state !== "disconnecting";
}

/** How a catch-up is shown: going on, or as far as it came before Google asked for patience. */
export type CatchUpShown = "moving" | "waiting";

/**
 * Says how a catch-up is shown, by the same health as all else: beside an error or a pause not at all, whatever is sent
 * meanwhile. What goes on has a bar and a spinner, what waits a bar that stands still.
 */
export function catchUpShown(status: IntegrationStatusJson): CatchUpShown | null {
  if (status.catchUp === null) return null;
  // The sending goes on before the question is answered.
  const health = healthOf({ ...status, pendingAccount: null });
  if (health === "syncing") return "moving";
  return health === "delayed" ? "waiting" : null;
}

interface Label {
  readonly title: MessageKey & `state.${string}`;
  readonly row: MessageKey & `state.${string}`;
  readonly tone: Tone;
  readonly rowTone?: Tone;
}

const LABELS: Readonly<Record<Exclude<Health, "refused" | "asked" | "unsent">, Label>> = {
  not_connected: { title: "state.notConnected", row: "state.notConnected", tone: "neutral" },
  disconnecting: { title: "state.disconnecting", row: "state.disconnecting", tone: "neutral" },
  stopped: { title: "state.error", row: "state.failing", tone: "danger" },
  paused: { title: "state.paused", row: "state.paused", tone: "neutral" },
  delayed: { title: "state.sendingDelayed", row: "state.delayed", tone: "warning" },
  syncing: { title: "state.connected", row: "state.syncing", tone: "success", rowTone: "accent" },
  behind: { title: "state.behind", row: "state.behind", tone: "warning" },
  working: { title: "state.connected", row: "state.ok", tone: "success" },
};

/** How the integration is doing in a word, and its colour. */
export interface HealthWord {
  readonly word: string;
  readonly tone: Tone;
}

/** The word beside the page's title and on the card. */
export function titleWord(status: IntegrationStatusJson, t: Translate): HealthWord {
  const health = healthOf(status);
  if (health === "refused") return { word: t("state.refused", { count: status.counts.error }), tone: "danger" };
  if (health === "asked") return { word: t("state.asked"), tone: "warning" };
  if (health === "unsent") return { word: t("state.unsent", { count: status.counts.unsent }), tone: "warning" };
  const { title, tone } = LABELS[health];
  return { word: t(title as "state.ok"), tone };
}

/** The word in the row of the sending. */
export function rowWord(status: IntegrationStatusJson, t: Translate): HealthWord {
  const health = healthOf(status);
  if (health === "refused") return { word: t("state.failing"), tone: "danger" };
  // The sending goes on before the question is answered.
  if (health === "asked") return rowWord({ ...status, pendingAccount: null }, t);
  if (health === "unsent") return { word: t("state.toSend"), tone: "warning" };
  const { row, tone, rowTone = tone } = LABELS[health];
  return { word: t(row as "state.ok"), tone: rowTone };
}
