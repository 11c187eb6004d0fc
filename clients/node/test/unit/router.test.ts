/** The router before a service that is made up: what depends on the host alone. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { expect, it, vi } from "vitest";

import type { CallOptions } from "../../src/calls.js";
import type { CalendarClient } from "../../src/index.js";
import { Connections } from "../../src/rest/connections.js";
import {
  createRouter,
  type Known,
  type Caller,
  type ErrorAnswer,
  type IntegrationStatusJson,
  type RouterOptions,
} from "../../src/rest/index.js";
import { statusStream } from "../../src/rest/events.js";
import { Feeds, type Page } from "../../src/rest/feeds.js";

const ORIGIN = "https://cassius.example";

/** A service whose streams are silent until they are left, and whose calls all fail. */
const silent = {
  integration: {
    getStatus: () => Promise.reject(new Error("a defect")),
    // eslint-disable-next-line require-yield -- it is silent
    async *watchStatus(_: unknown, { signal }: { signal: AbortSignal }) {
      await new Promise((left) => signal.addEventListener("abort", left, { once: true }));
    },
  },
} as unknown as CalendarClient;

interface Changes {
  caller?: () => Known<Caller>;
  mayUse?: () => boolean;
  onFailure?: () => unknown;
}

function ask(changes: Changes): Promise<Response> {
  const caller = () => ({ organisationId: "cabinet" });
  const router = createRouter({ client: silent, publicOrigin: ORIGIN, caller, mayUse: () => true, ...changes });
  return router.respond(new Request(`${ORIGIN}/api/integrations/google/status`));
}

it.each([
  [
    "throws",
    () => {
      throw new Error("the log is full");
    },
  ],
  ["fails later", () => Promise.reject(new Error("the log is full"))],
])("a browser is answered although the host's onFailure %s", async (_, onFailure) => {
  const answer = await ask({ onFailure });
  expect(answer.status).toBe(500);
  expect(await answer.json()).toMatchObject({ reason: "INTERNAL" });
});

it.each([null, undefined])("a caller of %s is nobody", async (nobody) => {
  const answer = await ask({ caller: () => nobody });
  expect(answer.status).toBe(401);
});

it("a router that is not told who may use what is not made", () => {
  const options = { client: silent, publicOrigin: ORIGIN, caller: () => null } as unknown as RouterOptions<void>;
  expect(() => createRouter(options)).toThrow(/mayUse/);
});

function page(): Page {
  const joined = new Feeds({ client: silent, pagesPerOrganisation: 1, watches: 1 }).join("cabinet", "fr");
  if (joined === null) throw new Error("there is room");
  return joined;
}

const mayFollow = () => Promise.resolve(true);

it("a stream of events ends when its time is up, whatever the garbage collector does", async () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as () => void;
  const times = { heartbeatMs: 5, lifetimeMs: 50, sessionCheckMs: undefined };
  const reader = statusStream(page(), times, new AbortController().signal, mayFollow).getReader();
  let isOver = false;
  while (!isOver) {
    collectGarbage();
    isOver = (await reader.read()).done;
  }
});

it("it ends at once for a browser that has left already", async () => {
  const times = { heartbeatMs: 5, lifetimeMs: undefined, sessionCheckMs: undefined };
  const reader = statusStream(page(), times, AbortSignal.abort(), mayFollow).getReader();
  while (!(await reader.read()).done);
  expect((await reader.read()).done).toBe(true);
});

it("a browser that leaves in the middle of its request is no failure of the host", async () => {
  const failures: unknown[] = [];
  const leaving = new AbortController();
  const router = createRouter({
    client: silent,
    publicOrigin: ORIGIN,
    caller: () => ({ organisationId: "cabinet" }),
    mayUse: () => true,
    onFailure: (failure) => failures.push(failure),
  });
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      leaving.abort();
      controller.error(new Error("aborted"));
    },
  });
  const request = new Request(`${ORIGIN}/api/integrations/google/preview`, {
    method: "POST",
    headers: { origin: ORIGIN, "content-type": "application/json" },
    body,
    signal: leaving.signal,
    duplex: "half",
  });
  await router.respond(request, undefined);
  await new Promise((turn) => setImmediate(turn));
  expect(failures).toEqual([]);
});

it("HEAD is answered without a body", async () => {
  const client = {
    integration: { ...silent.integration, getStatus: () => Promise.resolve({}) },
  } as unknown as CalendarClient;
  const caller = () => ({ organisationId: "cabinet" });
  const router = createRouter({ client, publicOrigin: ORIGIN, caller, mayUse: () => true });
  for (const route of ["status", "events"]) {
    const request = new Request(`${ORIGIN}/api/integrations/google/${route}`, { method: "HEAD" });
    const { status, body } = await router.respond(request);
    expect([route, status, body]).toEqual([route, 200, null]);
  }
});

const CONNECT_URL = `${ORIGIN}/api/integrations/google/connect`;
const consenting = {
  integration: {
    beginConnect: () =>
      Promise.resolve({
        connectUrl: CONNECT_URL,
        connectCookie: { name: "cassius_calendar_connect", value: "ticket", maxAge: 900 },
      }),
  },
} as unknown as CalendarClient;

function navigate(headers: Record<string, string>, options: { caller?: () => Known<Caller>; method?: string } = {}) {
  const { caller = () => ({ organisationId: "cabinet" }), method = "GET" } = options;
  const router = createRouter({ client: consenting, publicOrigin: ORIGIN, caller, mayUse: () => true });
  return router.respond(new Request(`${CONNECT_URL}?returnPath=/settings`, { method, headers }));
}

it.each(["same-origin", "none"])("`GET connect` from %s begins the consent and sends the browser on", async (site) => {
  const answer = await navigate({ "sec-fetch-site": site });
  expect([answer.status, answer.headers.get("location")]).toEqual([303, CONNECT_URL]);
  expect(answer.headers.get("set-cookie")).toBe(
    "cassius_calendar_connect=ticket; Max-Age=900; Path=/; HttpOnly; Secure; SameSite=Lax",
  );
  expect(answer.headers.get("cache-control")).toBe("no-store");
});

it.each<[string | undefined, string]>([
  ["  Cabinet des Lilas ", "Cabinet des Lilas"],
  ["🦷".repeat(201), "🦷".repeat(200)],
  [undefined, ""],
])("a consent names the practice to who comes back from it: %j", async (organisationName, told) => {
  const asked: unknown[] = [];
  const beginConnect = (request: object) => {
    asked.push(request);
    return consenting.integration.beginConnect({});
  };
  const client = { integration: { beginConnect } } as unknown as CalendarClient;
  const router = createRouter({
    client,
    publicOrigin: ORIGIN,
    caller: () => ({ organisationId: "cabinet", practice: { name: organisationName } }),
    mayUse: () => true,
    organisationName: ({ practice }) => practice.name,
  });
  expect((await router.respond(post("begin-connect", "{}"))).status).toBe(200);
  const navigation = new Request(CONNECT_URL, { headers: { "sec-fetch-site": "none" } });
  expect((await router.respond(navigation)).status).toBe(303);
  const request = { organisationId: "cabinet", organisationName: told };
  expect(asked).toMatchObject([request, request]);
});

it.each(["cross-site", "same-site"])("`GET connect` that %s has led to is refused", async (site) => {
  expect((await navigate({ "sec-fetch-site": site })).status).toBe(403);
});

it("`GET connect` is for who is signed in, from somewhere that is known, and HEAD begins nothing", async () => {
  expect((await navigate({})).status).toBe(403);
  expect((await navigate({ "sec-fetch-site": "none" }, { caller: () => null })).status).toBe(401);
  const head = await navigate({ "sec-fetch-site": "none" }, { method: "HEAD" });
  expect([head.status, head.headers.get("allow")]).toEqual([405, "GET"]);
});

it("each consent's ticket lies in a cookie of its own, where the service names one", async () => {
  const beginConnect = async () => {
    const begun = await consenting.integration.beginConnect({});
    const connectCookie = { ...begun.connectCookie, ownName: "__Host-cassius_calendar_connect_0123456789abcdef" };
    return { ...begun, connectCookie };
  };
  const client = { integration: { beginConnect } } as unknown as CalendarClient;
  const caller = () => ({ organisationId: "cabinet" });
  const router = createRouter({ client, publicOrigin: ORIGIN, caller, mayUse: () => true });
  const answer = await router.respond(new Request(CONNECT_URL, { headers: { "sec-fetch-site": "none" } }));
  expect(answer.headers.get("set-cookie")).toMatch(/^__Host-cassius_calendar_connect_0123456789abcdef=ticket; /);
});

it("`connect` is the sidecar's by the consent in its query, and never by a ticket that another consent left", () => {
  const router = createRouter({ client: consenting, publicOrigin: ORIGIN, caller: () => null, mayUse: () => true });
  const path = "/api/integrations/google/connect";
  const ticket = "session=1; __Host-cassius_calendar_connect_0123456789abcdef=ticket";
  expect(router.serves(path, ticket, "?consent=0123456789abcdef")).toBe(false);
  expect(router.serves(path, "session=1", "?consent=0123456789abcdef")).toBe(false);
  // A service for development has the ticket in its address.
  expect(router.serves(path, ticket, "?ticket=ticket")).toBe(false);
  expect(router.serves(path, ticket, "")).toBe(true);
  expect(router.serves(path, ticket, "?returnPath=/settings")).toBe(true);
  // The ticket of a service of an earlier version, whose address names no consent.
  expect(router.serves(path, "cassius_calendar_connect=ticket", "")).toBe(false);
  // A host that does not say the query.
  expect(router.serves(path, ticket)).toBe(false);
  expect(router.serves("/api/integrations/google/status", ticket, "?consent=0123456789abcdef")).toBe(true);
});

it("`connect` is the sidecar's once the browser has its ticket", () => {
  const router = createRouter({ client: consenting, publicOrigin: ORIGIN, caller: () => null, mayUse: () => true });
  const path = "/api/integrations/google/connect";
  expect(router.serves(path)).toBe(true);
  expect(router.serves(path, "session=1; other=2")).toBe(true);
  expect(router.serves(path, "session=1; cassius_calendar_connect=ticket")).toBe(false);
  expect(router.serves(path, "session=1; __Host-cassius_calendar_connect=ticket")).toBe(false);
  expect(router.serves("/api/integrations/google/callback")).toBe(false);
  expect(router.serves("/api/integrations/google/status", "cassius_calendar_connect=ticket")).toBe(true);
});

const COUNTS = {
  dueCount: 37,
  remoteCount: 36,
  missingCount: 1,
  alteredCount: 0,
  surplusCount: 2,
  newerCount: 4,
  isPartial: true,
};

it.each<[string, number, object, boolean, object | null]>([
  ["{}", 200, { dryRun: false }, false, null],
  ['{"dryRun":false}', 200, { dryRun: false }, false, null],
  ['{"dryRun":true}', 200, { dryRun: true }, true, COUNTS],
  ['{"dryRun":"yes"}', 400, {}, false, {}],
  ['{"dryRun":true,"organisationId":"other"}', 400, {}, false, {}],
])("`sync-now` with %s is answered %i", async (body, status, wanted, hasDeadline, comparison) => {
  const asked: unknown[] = [];
  const client = {
    integration: {
      syncNow: (request: object, { timeoutMs }: CallOptions) => {
        asked.push({ ...request, hasDeadline: timeoutMs !== undefined });
        return Promise.resolve({ queuedCount: 0, ...COUNTS, $typeName: "of the wire" });
      },
    },
  } as unknown as CalendarClient;
  const uses: string[] = [];
  const router = createRouter({
    client,
    publicOrigin: ORIGIN,
    caller: () => ({ organisationId: "cabinet" }),
    mayUse: (_, route) => uses.push(route) > 0,
  });
  const answer = await router.respond(post("sync-now", body));
  expect([answer.status, uses]).toEqual([status, ["sync-now"]]);
  if (status === 200) {
    expect(await answer.json()).toMatchObject({ queuedCount: 0, comparison, status: { state: "not_connected" } });
    expect(asked).toEqual([{ organisationId: "cabinet", ...wanted, hasDeadline }]);
  } else expect(asked).toEqual([]);

  const before = asked.length;
  const headers = { origin: "https://evil.example", "content-type": "application/json" };
  expect((await router.respond(post("sync-now", body, headers))).status).toBe(403);
  expect(asked).toHaveLength(before);
});

/** A service that takes erasures, and what it was asked. */
function erasing() {
  const asked: unknown[] = [];
  const service = {
    integration: {
      eraseOrganisation: (request: unknown) => {
        asked.push(request);
        return Promise.resolve({ isDone: false, remainingEventCount: 3 });
      },
      getStatus: () => Promise.resolve({ status: undefined }),
    },
  } as unknown as CalendarClient;
  return { service, asked };
}

it.each<[string, Partial<RouterOptions<void>>]>([
  ["nobody says who may", {}],
  ["this person may not", { mayErase: () => Promise.resolve(false) }],
  ["the person may not use the route either", { mayErase: () => true, mayUse: () => false }],
])("an erasure is refused where %s, and the service is not asked", async (_, changes) => {
  const { service, asked } = erasing();
  const told: unknown[] = [];
  const caller = () => ({ organisationId: "cabinet" });
  const onErasing = (erasure: unknown) => told.push(erasure);
  const options = { client: service, publicOrigin: ORIGIN, caller, mayUse: () => true, onErasing, ...changes };
  const answer = await createRouter(options).respond(erase("{}"));
  expect([answer.status, ((await answer.json()) as ErrorAnswer).reason]).toEqual([403, "NOT_ALLOWED"]);
  await new Promise((turn) => setImmediate(turn));
  expect([asked, told]).toEqual([[], []]);
});

it("an erasure is of the caller's own organisation, and the host has done its part before the service is asked", async () => {
  const { service, asked } = erasing();
  const told: unknown[] = [];
  const router = createRouter({
    client: service,
    publicOrigin: ORIGIN,
    caller: () => ({ organisationId: "cabinet", isOwner: true }),
    mayUse: () => true,
    mayErase: ({ isOwner }) => isOwner,
    onErasing: async (erasure) => {
      await new Promise((turn) => setImmediate(turn));
      told.push({ ...erasure, asked: asked.length });
    },
    onErasureFailed: (erasure) => told.push(erasure),
  });
  expect((await router.respond(erase('{"organisationId":"other"}'))).status).toBe(400);
  const answer = await router.respond(erase('{"leaveEvents":true}'));
  expect(await answer.json()).toMatchObject({
    isDone: false,
    remainingEventCount: 3,
    status: { state: "not_connected" },
  });
  await new Promise((turn) => setImmediate(turn));
  expect(asked).toEqual([{ organisationId: "cabinet", leaveEvents: true }]);
  expect(told).toEqual([{ organisationId: "cabinet", asked: 0 }]);
});

/** What the host is told of an erasure that `eraseOrganisation` or the host itself lets fail, and what becomes of it. */
async function failing(changes: Partial<RouterOptions<void>>, eraseOrganisation = () => Promise.resolve({})) {
  const told: string[] = [];
  const getStatus = () => Promise.reject(new Error("away"));
  const client = { integration: { eraseOrganisation, getStatus } } as unknown as CalendarClient;
  const router = createRouter({
    client,
    publicOrigin: ORIGIN,
    caller: () => ({ organisationId: "cabinet" }),
    mayUse: () => true,
    mayErase: () => true,
    onErasing: () => told.push("erasing"),
    onErasureFailed: ({ organisationId }) => told.push(`failed: ${organisationId}`),
    ...changes,
  });
  const { status } = await router.respond(erase("{}"));
  await new Promise((turn) => setImmediate(turn));
  return { status, told };
}

it("the host is told of an erasure that the service did not take, and may throw", async () => {
  const refuse = () => Promise.reject(new Error("away"));
  expect(await failing({}, refuse)).toEqual({ status: 500, told: ["erasing", "failed: cabinet"] });
  const onErasureFailed = () => {
    throw new Error("the host's own");
  };
  expect(await failing({ onErasureFailed }, refuse)).toEqual({ status: 500, told: ["erasing"] });
});

it("an erasure that has begun is not told as failed where its status is not to be had", async () => {
  expect(await failing({})).toEqual({ status: 500, told: ["erasing"] });
});

it("nothing is erased where the host cannot do its part", async () => {
  const eraseOrganisation = vi.fn(() => Promise.resolve({}));
  const onErasing = () => Promise.reject(new Error("the host's database is away"));
  expect(await failing({ onErasing }, eraseOrganisation)).toEqual({ status: 500, told: [] });
  expect(eraseOrganisation).not.toHaveBeenCalled();
});

function erase(body: string): Request {
  return post("erase", body);
}

const OWN = { origin: ORIGIN, "content-type": "application/json" };

function post(route: string, body: string, headers: Record<string, string> = OWN): Request {
  return new Request(`${ORIGIN}/api/integrations/google/${route}`, { method: "POST", headers, body });
}

it("the host is told once of each connection that has just been made", () => {
  const connections = new Connections();
  const now = Date.parse("2026-03-02T08:00:00Z");
  const status = (connectTime: string | null, state = "connected") => ({ state, connectTime }) as IntegrationStatusJson;
  const isNew = (organisation: string, given: IntegrationStatusJson) => connections.isNew(organisation, given, now);
  expect(isNew("a", status(null, "not_connected"))).toBe(false);
  expect(isNew("a", status("2026-03-02T07:59:00Z"))).toBe(true);
  expect(isNew("a", status("2026-03-02T07:59:00Z"))).toBe(false);
  expect(isNew("b", status("2026-03-02T07:59:00Z"))).toBe(true);
  expect(isNew("a", status("2026-03-02T07:59:30Z"))).toBe(true);
  expect(isNew("c", status("2026-03-01T08:00:00Z")), "an old one is no news").toBe(false);
});
