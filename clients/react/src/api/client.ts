/**
 * The requests that the pages make: JSON over fetch to the host's own origin.
 * It never sees a token of Google, writes no storage, and sends no request to another origin.
 */
import type { Locale } from "../i18n/message";
import type {
  BeginConnectAnswer,
  BeginConnectBody,
  CalendarsAnswer,
  ConfirmAccountAnswer,
  ConfirmAccountBody,
  DisconnectAnswer,
  DisconnectBody,
  EraseAnswer,
  EraseBody,
  EventPreviewJson,
  HistoryAnswer,
  IntegrationStatusJson,
  JournalAnswer,
  LinksAnswer,
  LinksBody,
  LinksQuery,
  PreviewAnswer,
  PreviewBody,
  RetryAnswer,
  RetryBody,
  SettingsAnswer,
  SettingsBody,
  StatusAnswer,
  SyncNowAnswer,
  SyncNowBody,
  TestEventAnswer,
} from "../wire";
import { failureOf, failureOfForeign, failureOfNetwork, objectOf } from "./failure";

/** How a client reaches the router. */
export interface ClientOptions {
  /** Where the host mounted the router. Default: `/api/integrations/google`. */
  readonly basePath?: string;
  /** The language that messages are asked for in. Default: `fr`. */
  readonly locale?: Locale;
  /** Default: the browser's. */
  readonly fetch?: typeof globalThis.fetch;
  /** Opens the status stream. Default: the browser's `EventSource`; `null` where there is none, then the pages poll. */
  readonly openEvents?: ((url: string) => EventSource) | null;
}

/** The router's routes as functions. Each throws a `RequestFailure`. */
export interface CalendarClient {
  readonly basePath: string;
  /** Beyond `withinMs` the host counts as away. */
  status(signal?: AbortSignal, withinMs?: number): Promise<IntegrationStatusJson>;
  calendars(signal?: AbortSignal): Promise<CalendarsAnswer>;
  links(query: LinksQuery, signal?: AbortSignal): Promise<LinksAnswer>;
  linksOf(body: LinksBody): Promise<LinksAnswer>;
  journal(signal?: AbortSignal): Promise<JournalAnswer>;
  history(appointmentId: string, signal?: AbortSignal): Promise<HistoryAnswer>;
  preview(body: PreviewBody, signal?: AbortSignal): Promise<EventPreviewJson>;
  beginConnect(body: BeginConnectBody): Promise<BeginConnectAnswer>;
  updateSettings(body: SettingsBody): Promise<IntegrationStatusJson>;
  syncNow(): Promise<SyncNowAnswer>;
  /** What a sync would find to mend: a dry run of it. */
  compare(): Promise<SyncNowAnswer>;
  testEvent(): Promise<TestEventAnswer>;
  confirmAccount(body: ConfirmAccountBody): Promise<IntegrationStatusJson>;
  disconnect(body: DisconnectBody): Promise<DisconnectAnswer>;
  erase(body: EraseBody): Promise<EraseAnswer>;
  retry(body: RetryBody): Promise<RetryAnswer>;
  /** Opens the status stream; `null` where the browser has none. */
  openEvents(): EventSource | null;
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
const is = (kind: "string" | "boolean" | "number") => (value: unknown) => typeof value === kind;

/** What stands under a name in the router's answers, and hardly in another's: many a gateway answers `{"status":"ok"}`. */
const MARKS = {
  status: (value: unknown) => isObject(value) && "state" in value,
  event: isObject,
  comparison: isObject,
  calendars: Array.isArray,
  links: Array.isArray,
  entries: Array.isArray,
  calls: Array.isArray,
  connectUrl: is("string"),
  isWritten: is("boolean"),
  isDone: is("boolean"),
  queuedCount: is("number"),
} satisfies Readonly<Record<string, (value: unknown) => boolean>>;
type Mark = keyof typeof MARKS;

const DEFAULT_BASE_PATH = "/api/integrations/google";
const DRY_RUN: SyncNowBody = { dryRun: true };

/** Makes a client. */
export function createCalendarClient(options: ClientOptions = {}): CalendarClient {
  const basePath = (options.basePath ?? DEFAULT_BASE_PATH).replace(/\/+$/, "");
  const locale = options.locale ?? "fr";
  const send = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
  const open = options.openEvents === undefined ? browserEvents() : options.openEvents;
  const urlOf = (route: string) => new URL(`${basePath}/${route}`, window.location.origin).href;

  // `mark` is what the router's answer always has: it tells the answer from somebody else's.
  async function request<Answer extends object>(
    method: string,
    route: string,
    mark: keyof Answer & Mark,
    body?: object,
    signal?: AbortSignal,
  ): Promise<Answer> {
    let response: Response;
    try {
      response = await send(urlOf(route), {
        method,
        credentials: "same-origin",
        cache: "no-store",
        headers: {
          accept: "application/json",
          "accept-language": locale,
          ...(body ? { "content-type": "application/json" } : {}),
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
        ...(signal ? { signal } : {}),
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw failureOfNetwork();
    }
    if (!response.ok) throw await failureOf(response);
    const answer = (await objectOf(response)) as Record<string, unknown> | null;
    signal?.throwIfAborted();
    if (answer === null || !MARKS[mark](answer[mark])) throw failureOfForeign();
    return answer as Answer;
  }

  return {
    basePath,
    status: async (signal, withinMs) => {
      const ask = (left?: AbortSignal) => request<StatusAnswer>("GET", "status", "status", undefined, left);
      const { status } = withinMs === undefined ? await ask(signal) : await within(withinMs, ask, signal);
      return status;
    },
    calendars: (signal) => request<CalendarsAnswer>("GET", "calendars", "calendars", undefined, signal),
    links: (query, signal) => request<LinksAnswer>("GET", `links${queryString(query)}`, "links", undefined, signal),
    linksOf: (body) => request<LinksAnswer>("POST", "links", "links", body),
    journal: (signal) => request<JournalAnswer>("GET", "journal", "entries", undefined, signal),
    history: (appointmentId, signal) =>
      request<HistoryAnswer>("GET", `history${queryString({ appointmentId })}`, "calls", undefined, signal),
    preview: async (body, signal) => (await request<PreviewAnswer>("POST", "preview", "event", body, signal)).event,
    beginConnect: (body) => request<BeginConnectAnswer>("POST", "begin-connect", "connectUrl", body),
    updateSettings: async (body) => (await request<SettingsAnswer>("PATCH", "settings", "status", body)).status,
    syncNow: () => request<SyncNowAnswer>("POST", "sync-now", "status", {}),
    compare: () => request<SyncNowAnswer>("POST", "sync-now", "comparison", DRY_RUN),
    testEvent: () => request<TestEventAnswer>("POST", "test-event", "isWritten", {}),
    confirmAccount: async (body) =>
      (await request<ConfirmAccountAnswer>("POST", "confirm-account", "status", body)).status,
    disconnect: (body) => request<DisconnectAnswer>("POST", "disconnect", "status", body),
    erase: (body) => request<EraseAnswer>("POST", "erase", "isDone", body),
    retry: (body) => request<RetryAnswer>("POST", "retry", "queuedCount", body),
    openEvents: () => (open ? open(urlOf("events")) : null),
  };
}

/** Waits no longer than that for an answer: a connection may stand open with nobody at its other end. */
async function within<Answer>(
  ms: number,
  ask: (signal: AbortSignal) => Promise<Answer>,
  left: AbortSignal | undefined,
): Promise<Answer> {
  const ended = new AbortController();
  const leave = () => ended.abort(left?.reason);
  if (left?.aborted) leave();
  left?.addEventListener("abort", leave, { once: true });
  const late = failureOfNetwork();
  const timer = setTimeout(() => ended.abort(late), ms);
  try {
    return await ask(ended.signal);
  } catch (error) {
    throw ended.signal.reason === late ? late : error;
  } finally {
    clearTimeout(timer);
    left?.removeEventListener("abort", leave);
  }
}

function browserEvents(): ((url: string) => EventSource) | null {
  return typeof EventSource === "undefined" ? null : (url) => new EventSource(url);
}

function queryString(query: object): string {
  const pairs = Object.entries(query as Record<string, unknown>).filter(
    (pair) => pair[1] !== undefined && pair[1] !== "",
  );
  return pairs.length === 0
    ? ""
    : `?${new URLSearchParams(pairs.map(([name, value]) => [name, String(value)])).toString()}`;
}
