/** What the pages may have under way at the service: each route by its calls, their deadline, its session and its limit. */
import type { Http2Session } from "node:http2";

import { expect, it } from "vitest";

import type { CallOptions } from "../../src/calls.js";
import type { CalendarClient } from "../../src/index.js";
import { createRouter, type ErrorAnswer, type RouterOptions } from "../../src/rest/index.js";
import { ROUTES } from "../../src/rest/routes.js";
import { failure } from "../failure.js";
import { client, refuse, served } from "./bare.js";

const ORIGIN = "https://cassius.example";
const SOON = { timeout: 5_000, interval: 10 };

/** How many of a route may be under way for one organisation. */
const SLOW = 8;
const QUICK = 64;

/** Every route: its request, the calls that it makes, within how many seconds each, and its limit. */
const TABLE: [method: string, route: string, body: object | null, calls: string[], seconds: number, most: number][] = [
  ["GET", "status", null, ["GetStatus"], 10, QUICK],
  ["GET", "calendars", null, ["ListCalendars"], 20, SLOW],
  ["POST", "begin-connect", {}, ["BeginConnect"], 10, QUICK],
  ["GET", "connect", null, ["BeginConnect"], 10, QUICK],
  ["POST", "confirm-account", { accept: true }, ["ConfirmAccount"], 20, SLOW],
  ["PATCH", "settings", { isEnabled: true }, ["UpdateSettings"], 20, SLOW],
  ["POST", "settings", { isEnabled: true }, ["UpdateSettings"], 20, SLOW],
  ["POST", "preview", {}, ["PreviewEvent"], 10, QUICK],
  ["POST", "sync-now", { dryRun: true }, ["SyncNow"], 20, SLOW],
  ["POST", "test-event", {}, ["SyncAppointment", "EraseAppointments"], 12, SLOW],
  ["POST", "disconnect", {}, ["Disconnect"], 60, SLOW],
  ["POST", "erase", {}, ["EraseOrganisation"], 60, SLOW],
  ["GET", "links", null, ["ListAppointmentLinks"], 10, QUICK],
  ["POST", "links", { appointmentIds: ["rdv"] }, ["BatchGetAppointmentLinks"], 10, QUICK],
  ["POST", "retry", {}, ["RetryAppointments"], 10, QUICK],
  ["GET", "journal", null, ["ListAuditEvents"], 10, QUICK],
  ["GET", "history?appointmentId=rdv", null, ["GetAppointmentHistory"], 10, QUICK],
];

/** Asks a router as a page of the practice that it names. */
function pagesOf(calendar: CalendarClient, limits: Partial<RouterOptions<void>> = {}) {
  const router = createRouter({
    client: calendar,
    publicOrigin: ORIGIN,
    caller: (request) => ({ organisationId: request.headers.get("x-practice") ?? "" }),
    mayUse: () => true,
    mayErase: () => true,
    ...limits,
  });
  return (organisationId: string, method: string, route: string, body: object | null, init = {}) => {
    const headers = {
      "x-practice": organisationId,
      "sec-fetch-site": "same-origin",
      ...(body !== null && { "content-type": "application/json" }),
    };
    const sent = body === null || body instanceof ReadableStream ? body : JSON.stringify(body);
    const url = `${ORIGIN}/api/integrations/google/${route}`;
    return router.respond(new Request(url, { method, headers, body: sent, ...init }));
  };
}

/** A service each call of which hangs until its caller leaves or `answer` fails it; `asked` counts them. */
function hanging() {
  let asked = 0;
  const waiting = new Set<() => void>();
  const call = (_: unknown, { signal }: CallOptions = {}) =>
    new Promise((__, reject) => {
      asked += 1;
      const fail = () => {
        waiting.delete(fail);
        reject(new Error("answered"));
      };
      waiting.add(fail);
      signal?.addEventListener("abort", fail, { once: true });
    });
  const calls = new Proxy({}, { get: () => call });
  return {
    calendar: { integration: calls, appointments: calls } as unknown as CalendarClient,
    asked: () => asked,
    underWay: () => waiting.size,
    answer: () => waiting.forEach((fail) => fail()),
  };
}

const turn = () => new Promise((next) => setTimeout(next));

it("the table is of every route", () => {
  const told = TABLE.map(([method, route]) => `${method} ${route.split("?")[0] ?? ""}`);
  const known = Object.entries(ROUTES).flatMap(([route, methods]) =>
    Object.keys(methods).map((method) => `${method} ${route}`),
  );
  expect(told.toSorted()).toEqual(known.toSorted());
});

it("each route asks over the session of the pages, within its deadline", async () => {
  const asked: { session: Http2Session | undefined; call: string; seconds: number }[] = [];
  const { port } = await served((stream, _, path, headers) => {
    const seconds = Math.ceil(Number.parseInt(String(headers["grpc-timeout"])) / 1_000);
    asked.push({ session: stream.session, call: path.split("/").at(-1) ?? "", seconds });
    refuse(stream);
  });
  const calendar = client(`http://127.0.0.1:${port}`);
  const appointment = { appointmentId: "rdv", revision: 1, state: "cancelled" } as const;
  await calendar.syncAfterMutation({ organisationId: "cabinet", appointment });
  await failure(calendar.appointments.getAppointmentLink({}));
  const own = new Set(asked.splice(0).map(({ session }) => session));
  const ask = pagesOf(calendar);
  const seen = new Set<unknown>();
  for (const [method, route, body, calls, seconds] of TABLE) {
    const { status } = await ask("cabinet", method, route, body);
    expect([route, status]).toEqual([route, 409]);
    expect(asked.map(({ call }) => [route, call])).toEqual(calls.map((call) => [route, call]));
    for (const each of asked.splice(0)) {
      expect([route, each.seconds]).toEqual([route, seconds]);
      seen.add(each.session);
    }
  }
  expect([own.size, seen.size]).toEqual([2, 1]);
  expect([...seen].filter((session) => own.has(session as Http2Session))).toEqual([]);
});

it.each(TABLE)(
  "beyond its limit `%s %s` is answered 503 and when to come back",
  async (method, route, body, _, __, most) => {
    const { calendar, asked, answer } = hanging();
    const ask = pagesOf(calendar);
    const held = Array.from({ length: most }, () => ask("cabinet", method, route, body));
    await expect.poll(asked).toBe(most);
    const refused = await ask("cabinet", method, route, body);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "5"]);
    const { reason, message, retryAfterMs } = (await refused.json()) as ErrorAnswer;
    expect([reason, retryAfterMs]).toEqual(["OVERLOADED", 5_000]);
    expect(message).toBe("Trop de demandes sont en cours. Réessayez dans quelques secondes.");

    // Others of the practice have places of their own, and so have other practices.
    const other = most === SLOW ? "status" : "calendars";
    held.push(ask("cabinet", "GET", other, null), ask("another", method, route, body));
    await expect.poll(asked).toBe(most + 2);
    answer();
    await turn();
    // `test-event` removes what it wrote.
    answer();
    await Promise.all(held);
    const before = asked();
    const again = ask("cabinet", method, route, body);
    await expect.poll(asked).toBe(before + 1);
    answer();
    await turn();
    answer();
    expect((await again).status).toBe(500);
  },
);

it("slow requests have a limit over all practices, and leave the quick ones theirs", async () => {
  const { calendar, asked, answer } = hanging();
  const ask = pagesOf(calendar, { slowRequests: 3, slowRequestsPerOrganisation: 2, requestsPerOrganisation: 1 });
  const statusOf = async (answered: Promise<Response>) => (await answered).status;
  const held = ["a", "a", "b"].map((practice) => ask(practice, "GET", "calendars", null));
  await expect.poll(asked).toBe(3);
  expect(await statusOf(ask("a", "POST", "disconnect", {}))).toBe(503);
  expect(await statusOf(ask("c", "POST", "disconnect", {})), "none is left for a third practice").toBe(503);
  held.push(ask("a", "GET", "status", null), ask("c", "GET", "status", null));
  await expect.poll(asked).toBe(5);
  expect(await statusOf(ask("a", "GET", "journal", null))).toBe(503);
  answer();
  await Promise.all(held);
});

it("an erasure that finds no place is not told to the host", async () => {
  const told: unknown[] = [];
  const tell = (erasure: unknown) => told.push(erasure);
  const ask = pagesOf(hanging().calendar, {
    slowRequestsPerOrganisation: 0,
    onErasing: tell,
    onErasureFailed: tell,
  });
  expect((await ask("cabinet", "POST", "erase", {})).status).toBe(503);
  await turn();
  expect(told).toEqual([]);
});

it("a browser that leaves gives the place of its question back", async () => {
  const { calendar, asked, underWay } = hanging();
  const ask = pagesOf(calendar, { slowRequestsPerOrganisation: 1 });
  for (const nth of [1, 2, 3]) {
    const leaving = new AbortController();
    const left = ask("cabinet", "GET", "calendars", null, { signal: leaving.signal });
    await expect.poll(asked).toBe(nth);
    leaving.abort();
    await left;
    expect(underWay()).toBe(0);
  }
});

it("a browser that leaves calls off nothing that it has begun", async () => {
  const { calendar, asked, underWay, answer } = hanging();
  const ask = pagesOf(calendar);
  const leaving = new AbortController();
  const left = ask("cabinet", "POST", "disconnect", {}, { signal: leaving.signal });
  await expect.poll(asked).toBe(1);
  leaving.abort();
  await turn();
  expect(underWay()).toBe(1);
  answer();
  await left;
});

it("a request that is not whole yet takes no place", async () => {
  const { calendar, asked, answer } = hanging();
  const ask = pagesOf(calendar, { slowRequestsPerOrganisation: 1 });
  const half = () => new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from("{")) });
  for (let nth = 0; nth < 20; nth += 1) void ask("cabinet", "POST", "disconnect", half(), { duplex: "half" });
  await turn();
  const whole = ask("cabinet", "POST", "disconnect", {});
  await expect.poll(asked).toBe(1);
  answer();
  expect((await whole).status).toBe(500);
});

it.each(TABLE.filter(([, , , , , most]) => most === SLOW))(
  "520 `%s %s` of one person while Google hangs hold up neither a mutation nor another practice",
  async (method, route, body, [hangs]) => {
    const appointment = { appointmentId: "rdv", revision: 1, state: "cancelled" } as const;
    let isDelivering = false;
    const { port, streams } = await served(
      (stream, _, path) => (path.endsWith(`/${hangs ?? ""}`) && !isDelivering ? undefined : refuse(stream)),
      { maxConcurrentStreams: 512 },
    );
    const calendar = client(`http://127.0.0.1:${port}`);
    const ask = pagesOf(calendar);
    const statuses: number[] = [];
    for (let nth = 0; nth < 520; nth += 1) {
      void ask("cabinet", method, route, body).then(({ status }) => statuses.push(status));
    }
    await expect.poll(() => statuses.length, SOON).toBe(520 - SLOW);
    await expect.poll(streams, SOON).toBe(SLOW);
    expect(new Set(statuses)).toEqual(new Set([503]));
    // `test-event` hangs in the very call that delivers.
    isDelivering = true;
    const delivery = await calendar.syncAfterMutation({ organisationId: "cabinet", appointment });
    expect(delivery, "the peer has answered").toMatchObject({ error: { code: "FAILED_PRECONDITION" } });
    expect((await ask("another", method, route, body)).status, "the peer has answered").toBe(409);
  },
  15_000,
);
