/** How the sessions of one client stand apart: what each carries, and that none is held up, or deaf, for another. */
import type { DescMethod } from "@bufbuild/protobuf";
import type { Http2Session } from "node:http2";

import { expect, it } from "vitest";

import { AppointmentSync } from "../../src/gen/cassius/calendar/v1/appointment_sync_pb.js";
import { CalendarIntegration } from "../../src/gen/cassius/calendar/v1/calendar_integration_pb.js";
import type { CalendarClient } from "../../src/index.js";
import { failure } from "../failure.js";
import { client, ends, refuse, served } from "./bare.js";

const organisationId = "cabinet";
const appointment = { appointmentId: "rdv", revision: 1, state: "cancelled" } as const;
const list = () => [{ appointmentId: "rdv", revision: 1 }];
const ENOUGH_MS = 60_000;
const SOON = { timeout: 5_000, interval: 10 };

/** One thing that a session carries: how it is asked, and with which code it ends. */
type Way = (calendar: CalendarClient, timeoutMs: number) => Promise<string>;

async function mutation(calendar: CalendarClient, deadlineMs: number): Promise<string> {
  const delivery = await calendar.syncAfterMutation({ organisationId, appointment }, { deadlineMs });
  return delivery.delivered ? "delivered" : delivery.error.code;
}

async function codeOf(asked: Promise<unknown>): Promise<string> {
  return (await failure(asked)).code;
}

const SINGLE: Record<string, [method: string, way: Way]> = {
  "a mutation": ["SyncAppointment", mutation],
  "a call of the host": [
    "EraseAppointments",
    (calendar, timeoutMs) => codeOf(calendar.appointments.eraseAppointments({ organisationId }, { timeoutMs })),
  ],
  "a call for a page": [
    "ListCalendars",
    (calendar, timeoutMs) => codeOf(calendar.integration.listCalendars({ organisationId }, { timeoutMs })),
  ],
};
const STREAMED: Record<string, [method: string, way: Way]> = {
  "a watch": [
    "WatchStatus",
    (calendar) => codeOf(calendar.integration.watchStatus({ organisationId })[Symbol.asyncIterator]().next()),
  ],
  "a transfer": [
    "ReconcileAppointments",
    (calendar) =>
      codeOf(calendar.reconcile({ organisationId, period: null, list, load: () => Promise.resolve([]) }).next()),
  ],
};
const WAYS = { ...SINGLE, ...STREAMED };

const within = (ms: number, asked: Promise<string>) =>
  Promise.race([asked, new Promise<string>((late) => setTimeout(() => late("held up"), ms))]);

it.each(Object.entries(WAYS))(
  "where %s hangs 520 times, everything else is answered",
  async (hanging, [full, fill]) => {
    const settings = { maxConcurrentStreams: 512 };
    const serve = (path: string) => path.endsWith(`/${full}`);
    const { port, streams } = await served((stream, _, path) => (serve(path) ? undefined : refuse(stream)), settings);
    const calendar = client(`http://127.0.0.1:${port}`);
    for (let nth = 0; nth < 520; nth += 1) void fill(calendar, ENOUGH_MS);
    await expect.poll(streams, SOON).toBe(512);
    const others = Object.entries(WAYS).filter(([way]) => way !== hanging);
    const codes = others.map(async ([way, [, ask]]) => [way, await within(2_000, ask(calendar, 1_500))]);
    expect(await Promise.all(codes)).toEqual(others.map(([way]) => [way, "FAILED_PRECONDITION"]));
  },
  15_000,
);

it("each method of the client goes over one of five sessions", async () => {
  const sessions = new Map<Http2Session, string[]>();
  const { port } = await served((stream, _, path) => {
    if (stream.session) {
      const carried = sessions.get(stream.session) ?? [];
      sessions.set(stream.session, [...carried, path.split("/").at(-1) ?? ""]);
    }
    refuse(stream);
  });
  const calendar = client(`http://127.0.0.1:${port}`);
  await mutation(calendar, ENOUGH_MS);
  for (const method of AppointmentSync.methods) await called(calendar.appointments, method);
  for (const method of CalendarIntegration.methods) await called(calendar.integration, method);
  expect([...sessions.values()]).toEqual([
    ["SyncAppointment"],
    [
      "SyncAppointment",
      "GetAppointmentLink",
      "BatchGetAppointmentLinks",
      "ListAppointmentLinks",
      "RetryAppointments",
      "GetAppointmentHistory",
      "EraseAppointments",
    ],
    ["SyncAppointments", "ReconcileAppointments", "ReplaceAppointments"],
    [
      "GetStatus",
      "BeginConnect",
      "ConfirmAccount",
      "ListCalendars",
      "UpdateSettings",
      "PreviewEvent",
      "SyncNow",
      "Disconnect",
      "ListIntegrations",
      "ListAuditEvents",
      "EraseOrganisation",
    ],
    ["WatchStatus", "WatchProblems"],
  ]);
});

/** Calls any method of a service with as little as it takes. */
async function called(calls: object, { localName, methodKind }: DescMethod): Promise<void> {
  const call = (calls as Record<string, (request: unknown) => unknown>)[localName];
  const request = methodKind === "client_streaming" || methodKind === "bidi_streaming" ? nothing() : {};
  const answer = call?.(request);
  const asked = answer instanceof Promise ? answer : (answer as AsyncIterable<unknown>)[Symbol.asyncIterator]().next();
  await failure(asked);
}

// eslint-disable-next-line @typescript-eslint/require-await -- a stream of requests is an async iterable by type alone
async function* nothing(): AsyncGenerator<object, void, undefined> {
  yield {};
}

it.each(Object.entries(SINGLE))("a connection that goes deaf under steady calls is left: %s", async (_, [, ask]) => {
  const { port, connections, swallow } = await served(refuse);
  const times = { pingIntervalMs: 200, pingTimeoutMs: 200, retry: { retries: 0 } };
  const calendar = client(`http://127.0.0.1:${port}`, times);
  let latest = "";
  // Many calls at once, each of which gives up before the peer is: the end of a stream must not end the watching.
  const calls = setInterval(() => void ask(calendar, 150).then((code) => (latest = code)), 10);
  ends.push(() => clearInterval(calls));
  await expect.poll(() => latest, SOON).toBe("FAILED_PRECONDITION");
  swallow();
  await expect.poll(() => latest, SOON).toBe("DEADLINE_EXCEEDED");
  await expect.poll(() => latest, SOON).toBe("FAILED_PRECONDITION");
  expect(connections()).toBe(2);
});

it.each(Object.entries(SINGLE))("so is one that goes deaf while nothing is said over it: %s", async (_, [, ask]) => {
  const { port, connections, swallow } = await served(refuse);
  const times = { pingIntervalMs: 50, pingTimeoutMs: 200 };
  const calendar = client(`http://127.0.0.1:${port}`, times);
  expect(await ask(calendar, ENOUGH_MS)).toBe("FAILED_PRECONDITION");
  swallow();
  await new Promise((rested) => setTimeout(rested, times.pingIntervalMs));
  // The call is made again by itself once the first connection is given up.
  expect(await ask(calendar, ENOUGH_MS)).toBe("FAILED_PRECONDITION");
  expect(connections()).toBe(2);
});

it.each(Object.entries(STREAMED))(
  "so is one that goes deaf after its peer has said that it goes away, under what is still open: %s",
  async (_, [, ask]) => {
    const open = { ":status": 200, "content-type": "application/grpc" };
    const { port, connections, swallow } = await served((stream, nth) => {
      if (nth > 1) {
        refuse(stream);
        return;
      }
      stream.respond(open);
      stream.session?.goaway(0, stream.id);
    });
    const calendar = client(`http://127.0.0.1:${port}`, { pingIntervalMs: 50, pingTimeoutMs: 200 });
    const ended = ask(calendar, ENOUGH_MS);
    // Another stream goes over another connection once the farewell has arrived.
    const isLeft = async () => {
      await ask(calendar, ENOUGH_MS);
      return connections() > 1;
    };
    await expect.poll(isLeft, SOON).toBe(true);
    swallow(1);
    expect(await ended).toBe("UNAVAILABLE");
  },
);
