/**
 * The states of the gallery, and a router for each that lives in the page: it answers the documented JSON and follows
 * what the reader does, so that a state can be played with.
 */
import { createCalendarClient, type CalendarClient } from "../src/api/client";
import type { Locale } from "../src/i18n/message";
import type { ComparisonJson, IntegrationStatusJson, SettingsBody, TitlePrivacyJson } from "../src/wire";
import * as samples from "./samples";

/** How a state is brought about. */
export interface Scenario {
  readonly status: IntegrationStatusJson;
  /** The requests that never get an answer, by the last part of their path. */
  readonly silent?: readonly string[];
  /** The requests that are refused, with the HTTP status. */
  readonly failing?: Readonly<Record<string, number>>;
  /** The stream says that the service is away. */
  readonly isServiceAway?: boolean;
  readonly isOffline?: boolean;
  readonly outcome?: string;
  /** Google was not allowed to list calendars. */
  readonly isListForbidden?: boolean;
  /** What a comparison finds; all in step unless said. */
  readonly comparison?: ComparisonJson;
}

const everything = ["status", "links", "preview"];

/** Every state, by name. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  loading: { status: samples.connected, silent: everything },
  "not-connected": { status: samples.notConnected },
  connected: { status: samples.connected },
  "list-forbidden": { status: samples.connected, isListForbidden: true },
  "list-loading": { status: samples.connected, silent: ["calendars"] },
  differing: { status: samples.connected, comparison: samples.differing },
  "never-synced": { status: samples.neverSynced },
  "first-connected": { status: samples.firstConnected },
  paused: { status: samples.paused },
  syncing: { status: samples.syncing },
  "refused-while-syncing": { status: samples.refusedWhileSyncing },
  disconnecting: { status: samples.disconnecting },
  "other-account": { status: samples.otherAccount },
  throttled: { status: samples.throttled },
  "signed-out": { status: samples.connected, failing: { status: 401 } },
  "reconnect-needed": { status: samples.reconnectNeeded, failing: { calendars: 409 } },
  "calendar-gone": { status: samples.calendarGone },
  "keyring-incomplete": { status: samples.keyringIncomplete },
  "account-unavailable": { status: samples.accountUnavailable },
  internal: { status: samples.internal },
  "google-away": { status: samples.googleAway },
  "refused-while-throttled": { status: samples.refusedWhileThrottled },
  "paused-with-all": { status: samples.pausedWithAll },
  behind: { status: samples.behind },
  "ending-at-once": { status: samples.endingAtOnce },
  "other-account-for-lost": { status: samples.otherAccountForLost },
  misconfigured: { status: samples.misconfigured },
  refused: { status: samples.someRefused },
  "parts-loading": { status: samples.someRefused, silent: ["links", "preview"] },
  "parts-failing": { status: samples.someRefused, failing: { calendars: 503, links: 503, preview: 503 } },
  "save-failing": { status: samples.connected, failing: { settings: 503, "sync-now": 503, disconnect: 503 } },
  offline: { status: samples.connected, isOffline: true },
  "service-away": { status: samples.connected, isServiceAway: true },
  unanswered: { status: samples.connected, failing: { status: 503 } },
  forbidden: { status: samples.connected, failing: { status: 403 } },
  "outcome-connected": { status: samples.neverSynced, outcome: "connected" },
  "outcome-denied": { status: samples.notConnected, outcome: "denied" },
  "outcome-missing-scope": { status: samples.notConnected, outcome: "missing_scope" },
  "outcome-denied-over-error": { status: samples.reconnectNeeded, outcome: "denied" },
  "outcome-expired": { status: samples.notConnected, outcome: "expired" },
  "outcome-failed": { status: samples.notConnected, outcome: "failed" },
};

/** A client that plays a scenario. */
export interface Played {
  readonly client: CalendarClient;
  /** Goes over into another scenario, as a page sees it that stands open while it happens. */
  readonly becomes: (next: Scenario) => void;
}

/** Makes the client that plays a scenario. */
export function played(first: Scenario, locale: Locale): Played {
  let scenario = first;
  let status = scenario.status;
  const events = new PlayedEvents();
  const tellScenario = () => {
    if (scenario.isServiceAway) events.tell("unavailable", {});
    else if (scenario.failing?.["status"] !== undefined) events.end();
    else if (!scenario.silent?.includes("status")) events.tell("status", status);
  };
  const become = (next: IntegrationStatusJson) => {
    status = next;
    events.tell("status", status);
  };
  const routes: Readonly<Record<string, (body: Record<string, unknown>) => unknown>> = {
    status: () => ({ status }),
    calendars: () => ({
      calendars: scenario.isListForbidden ? samples.calendars.slice(0, 1) : samples.calendars,
      isListPermitted: !scenario.isListForbidden,
    }),
    links: ({ appointmentIds }) => ({
      links: Array.isArray(appointmentIds) ? samples.links : status.counts.error > 0 ? samples.linksInError : [],
      nextPageToken: null,
    }),
    preview: (body) => ({ event: samples.preview((body["titlePrivacy"] as TitlePrivacyJson | undefined) ?? "full") }),
    settings: (body) => {
      const { calendarId, ...rest } = body as SettingsBody;
      const calendar = samples.calendars.find((each) => each.id === calendarId) ?? status.calendar;
      become({ ...status, ...rest, calendar });
      return { status };
    },
    "sync-now": ({ dryRun }) => {
      if (dryRun === true) return { queuedCount: 0, comparison: scenario.comparison ?? samples.inStep, status };
      play(become, status);
      return { queuedCount: 40, comparison: null, status };
    },
    journal: () => ({ entries: samples.journal }),
    history: () => ({ calls: samples.history }),
    "test-event": () => ({ isWritten: true, isRemoved: true, error: null }),
    "confirm-account": (body) => {
      const googleEmail = body["accept"] === true ? (status.pendingAccount?.googleEmail ?? null) : status.googleEmail;
      become({ ...status, googleEmail, pendingAccount: null });
      return { status };
    },
    disconnect: () => {
      become(samples.notConnected);
      return { status, deletedEventCount: 0, remainingEventCount: 0, grantEnd: "revoked" };
    },
    erase: (body) => {
      const isOutOfReach = status.problem?.action === "reconnect" && body["leaveEvents"] !== true;
      become(samples.notConnected);
      return { isDone: !isOutOfReach, remainingEventCount: isOutOfReach ? 86 : 0, status };
    },
    retry: () => {
      become({ ...status, counts: { ...status.counts, error: 0 } });
      return { queuedCount: samples.linksInError.length };
    },
    "begin-connect": () => ({ connectUrl: "https://accounts.example.com/consent", expireTime: null }),
  };
  const becomes = (next: Scenario) => {
    scenario = next;
    status = scenario.status;
    showNetwork(!scenario.isOffline);
    if (!scenario.isOffline) tellScenario();
  };
  const client = createCalendarClient({
    locale,
    openEvents: () => {
      events.begin();
      setTimeout(tellScenario);
      return events as unknown as EventSource;
    },
    fetch: (input, init) => {
      const name = new URL(input as string).pathname.split("/").at(-1) ?? "";
      if (scenario.silent?.includes(name)) return new Promise(() => undefined);
      const failing = scenario.failing?.[name];
      if (failing !== undefined)
        return Promise.resolve(Response.json({ reason: "", message: "" }, { status: failing }));
      const body = JSON.parse(typeof init?.body === "string" ? init.body : "{}") as Record<string, unknown>;
      return Promise.resolve(Response.json(routes[name]?.(body) ?? {}));
    },
  });
  return { client, becomes };
}

/** Takes the network away, as a train in a tunnel would, or gives it back. */
export function showNetwork(isOnline: boolean): void {
  if (navigator.onLine === isOnline) return;
  Object.defineProperty(navigator, "onLine", { value: isOnline, configurable: true });
  window.dispatchEvent(new Event(isOnline ? "online" : "offline"));
}

function play(become: (status: IntegrationStatusJson) => void, status: IntegrationStatusJson): void {
  const total = 40;
  let done = 0;
  const timer = setInterval(() => {
    done += 4;
    const isOver = done >= total;
    const counts = { ...status.counts, unsent: 0 };
    become({ ...status, counts, catchUp: isOver ? null : { total, done, failed: 0, startTime: samples.inMinutes(0) } });
    if (isOver) clearInterval(timer);
  }, 400);
}

class PlayedEvents extends EventTarget {
  readyState = 1;
  begin(): void {
    this.readyState = 1;
  }
  /** As a stream that is refused ends: for good. */
  end(): void {
    this.readyState = 2;
    this.dispatchEvent(new Event("error"));
  }
  close(): void {
    return;
  }
  tell(name: string, data: object): void {
    this.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(data) }));
  }
}
