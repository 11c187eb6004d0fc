/**
 * The routes: each one reads its body or query, makes one call, and names what it answers.
 *
 * A route knows neither sessions nor origins, and never sees an organisation that the browser named. What it has begun goes
 * on though the browser leaves.
 */
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { stringifySetCookie } from "cookie";
import type { z } from "zod";

import { AppointmentState } from "../gen/cassius/calendar/v1/appointment_sync_pb.js";
import type { CallOptions } from "../calls.js";
import type { Calls } from "../client.js";
import { testEvent } from "./testEvent.js";
import {
  BEGIN_CONNECT,
  CONFIRM_ACCOUNT,
  DISCONNECT,
  ERASE,
  HISTORY,
  LINKS,
  LINKS_OF,
  NOTHING,
  PREVIEW,
  RETRY,
  SETTINGS,
  SYNC_NOW,
} from "./bodies.js";
import { bodyOf, checked } from "./guard.js";
import type { Language } from "./refusal.js";
import {
  accountSearchJson,
  calendarJson,
  comparisonJson,
  googleCallJson,
  grantEndJson,
  instant,
  journalEntryJson,
  linkJson,
  previewJson,
  PRIVACY_TO_WIRE,
  REMOTE_EVENTS_TO_WIRE,
  statusJson,
  SYNC_TO_WIRE,
} from "./json.js";
import type {
  BeginConnectAnswer,
  BeginConnectBody,
  CalendarsAnswer,
  ConfirmAccountAnswer,
  DisconnectAnswer,
  EraseAnswer,
  HistoryAnswer,
  IntegrationStatusJson,
  JournalAnswer,
  LinksAnswer,
  PreviewAnswer,
  PreviewAppointmentJson,
  RetryAnswer,
  SettingsAnswer,
  StatusAnswer,
  SyncNowAnswer,
} from "./types.js";

/** What a route gets. */
export interface RouteContext {
  url: URL;
  /** The body of the request, whole; empty where there is none. */
  text: string;
  /** Is aborted once the browser has left. */
  left: AbortSignal;
  client: Calls;
  organisationId: string;
  /** The practice's name as its people know it, for who comes back from a consent; empty: nobody is asked there. */
  organisationName: string;
  /** Where the browser sees the host. */
  publicOrigin: string;
  /** Where the consent comes back to unless the page says otherwise. */
  returnPath: string;
  /** Is told of each status that is answered. */
  onStatus: (status: IntegrationStatusJson) => void;
  /** Tells the host that an erasure is about to be asked for; fulfils once the host sends nothing any more. */
  onErasing: () => Promise<void>;
  /** Tells the host that the service was asked for an erasure and did not say that it has begun. */
  onErasureFailed: () => void;
  /** What the router speaks to this browser. */
  language: Language;
  /** The browser's language, for the service. */
  headers: Record<string, string>;
}

/** What a route answers: JSON with status 200, or where the browser is sent on to with 303. */
export type RouteResult = ({ json: object } | { location: string }) & { cookie?: string };

type Route = (context: RouteContext) => Promise<RouteResult>;

// Calls that make the service ask Google, and those that may have many events to delete.
const ASKS_GOOGLE_MS = 20_000;
const DISCONNECT_MS = 60_000;
const JOURNAL_ENTRIES = 50;

async function status(context: RouteContext): Promise<RouteResult> {
  const { organisationId, client } = context;
  const answer = await client.integration.getStatus({ organisationId }, calling(context));
  const json: StatusAnswer = { status: statusJson(answer.status) };
  context.onStatus(json.status);
  return { json };
}

async function calendars(context: RouteContext): Promise<RouteResult> {
  const { organisationId, client } = context;
  // Whoever loads the page anew while Google hangs leaves no question of theirs behind.
  const options = { ...calling(context, ASKS_GOOGLE_MS), signal: context.left };
  const answer = await client.integration.listCalendars({ organisationId }, options);
  const json: CalendarsAnswer = {
    calendars: answer.calendars.map(calendarJson),
    isListPermitted: answer.isListPermitted,
  };
  return { json };
}

async function beginConnect(context: RouteContext): Promise<RouteResult> {
  const { answer, cookie } = await beginConsent(context, body(context, BEGIN_CONNECT));
  const json: BeginConnectAnswer = { connectUrl: answer.connectUrl, expireTime: instant(answer.expireTime) };
  return { json, ...(cookie !== undefined && { cookie }) };
}

// A browser is given a ticket and sent to the same address again, whose query then makes it the sidecar's.
async function connect(context: RouteContext): Promise<RouteResult> {
  const query = checked(BEGIN_CONNECT, Object.fromEntries(context.url.searchParams));
  const { answer, cookie } = await beginConsent(context, query);
  return { location: answer.connectUrl, ...(cookie !== undefined && { cookie }) };
}

async function beginConsent(context: RouteContext, { returnPath }: BeginConnectBody) {
  const { organisationId, organisationName, client, publicOrigin } = context;
  const returnUrl = new URL(returnPath ?? context.returnPath, publicOrigin).href;
  const request = { organisationId, organisationName, returnUrl };
  const answer = await client.integration.beginConnect(request, calling(context));
  if (answer.connectCookie === undefined) return { answer, cookie: undefined };
  const { name, ownName, value, maxAge } = answer.connectCookie;
  const secure = publicOrigin.startsWith("https:");
  const attributes = { maxAge, path: "/", httpOnly: true, sameSite: "lax", secure } as const;
  // The value as it is: the sidecar compares it byte by byte.
  const plainly = { encode: (plain: string) => plain };
  // Under a name of its own no other tab overwrites it. A service of an earlier version gives none.
  const cookie = stringifySetCookie({ name: ownName || name, value, ...attributes }, plainly);
  return { answer, cookie };
}

async function settings(context: RouteContext): Promise<RouteResult> {
  const { organisationId, client } = context;
  const { isEnabled, calendarId, titlePrivacy } = body(context, SETTINGS);
  const paths = [
    ...(isEnabled === undefined ? [] : ["is_enabled"]),
    ...(calendarId === undefined ? [] : ["calendar_id"]),
    ...(titlePrivacy === undefined ? [] : ["title_privacy"]),
  ];
  const wanted = {
    ...(isEnabled !== undefined && { isEnabled }),
    ...(calendarId !== undefined && { calendarId }),
    ...(titlePrivacy !== undefined && { titlePrivacy: PRIVACY_TO_WIRE[titlePrivacy] }),
  };
  const request = { organisationId, settings: wanted, updateMask: { paths } };
  const answer = await client.integration.updateSettings(request, calling(context, ASKS_GOOGLE_MS));
  return { json: { status: statusJson(answer.status) } satisfies SettingsAnswer };
}

async function preview(context: RouteContext): Promise<RouteResult> {
  const { organisationId, client } = context;
  const { titlePrivacy, appointment } = body(context, PREVIEW);
  const request = {
    organisationId,
    ...(titlePrivacy !== undefined && { titlePrivacy: PRIVACY_TO_WIRE[titlePrivacy] }),
    ...(appointment !== undefined && { appointment: previewed(appointment) }),
  };
  const answer = await client.integration.previewEvent(request, calling(context));
  return { json: { event: previewJson(answer.event) } satisfies PreviewAnswer };
}

// The wire wants a whole appointment; what makes it one is no matter of a page.
function previewed({ startTime, endTime, ...rest }: PreviewAppointmentJson) {
  return {
    ...rest,
    appointmentId: "preview",
    revision: 1n,
    state: AppointmentState.SCHEDULED,
    startTime: timestampFromDate(new Date(startTime)),
    endTime: timestampFromDate(new Date(endTime)),
  };
}

async function syncNow(context: RouteContext): Promise<RouteResult> {
  const { organisationId, client } = context;
  const { dryRun = false } = body(context, SYNC_NOW);
  const options = dryRun ? calling(context, ASKS_GOOGLE_MS) : calling(context);
  const answer = await client.integration.syncNow({ organisationId, dryRun }, options);
  const json: SyncNowAnswer = {
    queuedCount: answer.queuedCount,
    comparison: dryRun ? comparisonJson(answer) : null,
    status: statusJson(answer.status),
  };
  return { json };
}

async function sendTest(context: RouteContext): Promise<RouteResult> {
  const { organisationId, client } = context;
  body(context, NOTHING);
  return { json: await testEvent(client, organisationId, context, Date.now()) };
}

async function confirmAccount(context: RouteContext): Promise<RouteResult> {
  const { organisationId, client } = context;
  const { accept } = body(context, CONFIRM_ACCOUNT);
  const answer = await client.integration.confirmAccount({ organisationId, accept }, calling(context, ASKS_GOOGLE_MS));
  return { json: { status: statusJson(answer.status) } satisfies ConfirmAccountAnswer };
}

async function disconnect(context: RouteContext): Promise<RouteResult> {
  const { organisationId, client } = context;
  const { remoteEvents } = body(context, DISCONNECT);
  const request = { organisationId, remoteEvents: REMOTE_EVENTS_TO_WIRE[remoteEvents ?? "keep"] };
  const answer = await client.integration.disconnect(request, calling(context, DISCONNECT_MS));
  const json: DisconnectAnswer = {
    status: statusJson(answer.status),
    deletedEventCount: answer.deletedEventCount,
    remainingEventCount: answer.remainingEventCount,
    grantEnd: grantEndJson(answer.grantEnd),
    search: accountSearchJson(answer.search),
  };
  return { json };
}

async function erase(context: RouteContext): Promise<RouteResult> {
  const { organisationId, client } = context;
  const { leaveEvents } = body(context, ERASE);
  const request = { organisationId, leaveEvents: leaveEvents ?? false };
  // Before the service is asked: what it is sent between the erasure and its answer, it would keep.
  await context.onErasing();
  const { isDone, remainingEventCount, search } = await client.integration
    .eraseOrganisation(request, calling(context, DISCONNECT_MS))
    .catch((failure: unknown) => {
      context.onErasureFailed();
      throw failure;
    });
  const { status } = await client.integration.getStatus({ organisationId }, calling(context));
  const json: EraseAnswer = {
    isDone,
    remainingEventCount,
    search: accountSearchJson(search),
    status: statusJson(status),
  };
  return { json };
}

async function links(context: RouteContext): Promise<RouteResult> {
  const { organisationId, client, url } = context;
  const query = checked(LINKS, Object.fromEntries(url.searchParams));
  const request = {
    organisationId,
    ...(query.syncStatus !== undefined && { syncStatus: SYNC_TO_WIRE[query.syncStatus] }),
    pageSize: query.pageSize ?? 0,
    pageToken: query.pageToken ?? "",
  };
  const answer = await client.appointments.listAppointmentLinks(request, calling(context));
  const json: LinksAnswer = {
    links: answer.links.map(linkJson),
    nextPageToken: answer.nextPageToken === "" ? null : answer.nextPageToken,
  };
  return { json };
}

async function linksOf(context: RouteContext): Promise<RouteResult> {
  const { organisationId, client } = context;
  const { appointmentIds } = body(context, LINKS_OF);
  const answer = await client.appointments.batchGetAppointmentLinks(
    { organisationId, appointmentIds },
    calling(context),
  );
  return { json: { links: answer.links.map(linkJson), nextPageToken: null } satisfies LinksAnswer };
}

async function journal(context: RouteContext): Promise<RouteResult> {
  const { organisationId, client } = context;
  const request = { organisationId, pageSize: JOURNAL_ENTRIES };
  const answer = await client.integration.listAuditEvents(request, calling(context));
  return { json: { entries: answer.events.map(journalEntryJson) } satisfies JournalAnswer };
}

async function history(context: RouteContext): Promise<RouteResult> {
  const { organisationId, client, url } = context;
  const { appointmentId } = checked(HISTORY, Object.fromEntries(url.searchParams));
  const answer = await client.appointments.getAppointmentHistory({ organisationId, appointmentId }, calling(context));
  return { json: { calls: answer.calls.map(googleCallJson) } satisfies HistoryAnswer };
}

async function retry(context: RouteContext): Promise<RouteResult> {
  const { organisationId, client } = context;
  const { appointmentIds } = body(context, RETRY);
  const request = { organisationId, appointmentIds: appointmentIds ?? [] };
  const answer = await client.appointments.retryAppointments(request, calling(context));
  return { json: { queuedCount: answer.queuedCount } satisfies RetryAnswer };
}

function calling(context: RouteContext, timeoutMs?: number): CallOptions {
  return { headers: context.headers, ...(timeoutMs !== undefined && { timeoutMs }) };
}

function body<T>(context: RouteContext, schema: z.ZodType<T>): T {
  return bodyOf(context.text, schema);
}

/** Every route by its name, but for `events`, which answers a stream. */
export const ROUTES = {
  status: { GET: status },
  calendars: { GET: calendars },
  "begin-connect": { POST: beginConnect },
  connect: { GET: connect },
  "confirm-account": { POST: confirmAccount },
  settings: { PATCH: settings, POST: settings },
  preview: { POST: preview },
  "sync-now": { POST: syncNow },
  "test-event": { POST: sendTest },
  disconnect: { POST: disconnect },
  erase: { POST: erase },
  links: { GET: links, POST: linksOf },
  retry: { POST: retry },
  journal: { GET: journal },
  history: { GET: history },
} satisfies Record<string, Record<string, Route>>;

/** The routes that have the service ask Google, or wait for what it has begun: they may hang for as long as Google does. */
export const SLOW_ROUTES: ReadonlySet<string> = new Set<keyof typeof ROUTES>([
  "calendars",
  "confirm-account",
  "settings",
  "sync-now",
  "test-event",
  "disconnect",
  "erase",
]);
