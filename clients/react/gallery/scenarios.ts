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
  /** What a comparison finds; all in step unless said. */
  readonly comparison?: ComparisonJson;
}

const everything = ["status", "calendars", "links", "preview"];

/** Every state, by name. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  loading: { status: samples.connected, silent: everything },
  "not-connected": { status: samples.notConnected },
  connected: { status: samples.connected },
  differing: { status: samples.connected, comparison: samples.differing },
  "never-synced": { status: samples.neverSynced },
  "first-connected": { status: samples.firstConnected },
  paused: { status: samples.paused },
  syncing: { status: samples.syncing },
  disconnecting: { status: samples.disconnecting },
  "other-account": { status: samples.otherAccount },
  throttled: { status: samples.throttled },
  "reconnect-needed": { status: samples.reconnectNeeded, failing: { calendars: 409 } },
  "calendar-gone": { status: samples.calendarGone },
  "keyring-incomplete": { status: samples.keyringIncomplete },
  misconfigured: { status: samples.misconfigured },
  refused: { status: samples.someRefused },
  "parts-loading": { status: samples.someRefused, silent: ["calendars", "links", "preview"] },
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

/** Makes the client that plays a scenario. */
export function clientOf(scenario: Scenario, locale: Locale): CalendarClient {
  let status = scenario.status;
  const events = new PlayedEvents();
  const become = (next: IntegrationStatusJson) => {
    status = next;
    events.tell("status", status);
  };
  const routes: Readonly<Record<string, (body: Record<string, unknown>) => unknown>> = {
    status: () => ({ status }),
    calendars: () => ({ calendars: samples.calendars, isListPermitted: true }),
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
  return createCalendarClient({
    locale,
    openEvents: () => {
      setTimeout(() => {
        if (scenario.isServiceAway) events.tell("unavailable", {});
        else if (!scenario.silent?.includes("status") && !scenario.failing?.["status"]) events.tell("status", status);
      });
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
  readonly readyState = 1;
  close(): void {
    return;
  }
  tell(name: string, data: object): void {
    this.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(data) }));
  }
}
