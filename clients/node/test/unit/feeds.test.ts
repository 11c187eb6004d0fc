/** Many pages before one service: how they share its streams. */
import { afterEach, expect, it, vi } from "vitest";

import { CalendarError, type CalendarClient } from "../../src/index.js";
import { createRouter, type Caller, type Known } from "../../src/rest/index.js";

const ORIGIN = "https://cassius.example";

const browsers: AbortController[] = [];
afterEach(() => browsers.splice(0).forEach((browser) => browser.abort()));

/** A service that tells each watch `connected` and then keeps silent; `open` holds those that are not left. */
function watched(refusal?: CalendarError) {
  const open = new Set<AbortSignal>();
  let count = 0;
  const client = {
    integration: {
      async *watchStatus(_: unknown, { signal }: { signal: AbortSignal }) {
        count += 1;
        if (refusal) throw refusal;
        open.add(signal);
        yield { status: { state: 2, isEnabled: true } };
        await new Promise((left) => signal.addEventListener("abort", left, { once: true }));
        open.delete(signal);
      },
    },
  } as unknown as CalendarClient;
  return { client, open, count: () => count };
}

function pagesOf(
  client: CalendarClient,
  limits: { pagesPerOrganisation?: number; watchedOrganisations?: number; heartbeatMs?: number } = {},
) {
  const caller = (request: Request) => ({ organisationId: request.headers.get("x-practice") ?? "" });
  const router = createRouter({ client, publicOrigin: ORIGIN, caller, mayUse: () => true, ...limits });
  return (organisationId: string, language = "fr") => {
    const browser = new AbortController();
    browsers.push(browser);
    const headers = { "x-practice": organisationId, "accept-language": language };
    return router.respond(
      new Request(`${ORIGIN}/api/integrations/google/events`, { headers, signal: browser.signal }),
      undefined,
    );
  };
}

async function told({ body }: Response, word: string): Promise<string> {
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes(word)) {
    const read = await reader?.read();
    if (read?.done !== false) throw new Error(`ended without ${word}: ${text}`);
    text += read.value;
  }
  return text;
}

it("the pages of an organisation share one stream, which ends with the last of them", async () => {
  const { client, open, count } = watched();
  const page = pagesOf(client, { pagesPerOrganisation: 60 });
  const answers = [];
  for (let nth = 0; nth < 60; nth += 1) answers.push(await page("cabinet"));
  for (const answer of answers) expect(await told(answer, "event: status")).toContain('"state":"connected"');
  expect(count()).toBe(1);
  expect(await told(await page("autre"), "event: status"), "another practice has its own").toBeTruthy();
  expect(count()).toBe(2);

  const [first, ...others] = browsers.slice(0, 60);
  others.forEach((browser) => browser.abort());
  expect(open.size).toBe(2);
  first?.abort();
  await expect.poll(() => open.size).toBe(1);
});

it("a page is promised the next sign of life, and keeps being given it", async () => {
  const text = await told(await pagesOf(watched().client, { heartbeatMs: 20 })("cabinet"), "event: status");
  expect(text).toContain('event: alive\ndata: {"nextMs":20}\n\n');
  const later = await pagesOf(watched().client, { heartbeatMs: 20 })("cabinet");
  expect(await told(later, '{"nextMs":20}\n\nevent: alive')).toBeTruthy();
});

it("a stream that breaks off is not told while it is back at once, and is while it is not", async () => {
  let isBack = true;
  let count = 0;
  const client = {
    integration: {
      async *watchStatus(_: unknown, { signal }: { signal: AbortSignal }) {
        count += 1;
        if (count > 1 && !isBack) await new Promise((left) => signal.addEventListener("abort", left, { once: true }));
        yield { status: { state: 2, isEnabled: count > 1 } };
        if (count > 2) await new Promise((left) => signal.addEventListener("abort", left, { once: true }));
        throw new CalendarError("gone", { code: "UNAVAILABLE" });
      },
    },
  } as unknown as CalendarClient;
  const text = await told(await pagesOf(client)("cabinet"), '"isEnabled":true');
  expect(text).not.toContain("unavailable");

  count = 0;
  isBack = false;
  const startedAt = performance.now();
  await told(await pagesOf(client)("autre"), "event: unavailable");
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});

it("each page is told in its own language, at whichever moment it joins", async () => {
  const { client, count } = watched();
  const page = pagesOf(client);
  await told(await page("cabinet"), "event: status");
  await told(await page("cabinet", "en-GB,en;q=0.9"), "event: status");
  await told(await page("cabinet", "en"), "event: status");
  expect(count()).toBe(2);
});

it("a page beyond the limits is told when to come back, and the room of one that leaves is given on", async () => {
  const { client } = watched();
  const page = pagesOf(client, { pagesPerOrganisation: 2, watchedOrganisations: 2 });
  await told(await page("a"), "event: status");
  await told(await page("a"), "event: status");
  const third = await page("a");
  expect([third.status, third.headers.get("retry-after")]).toEqual([503, "30"]);
  expect(await third.json()).toMatchObject({ reason: "OVERLOADED", retryAfterMs: 30_000 });
  await told(await page("b"), "event: status");
  expect((await page("c")).status, "a third practice").toBe(503);

  browsers[0]?.abort();
  expect((await page("a")).status).toBe(200);
});

it("where the service holds no further stream, the page is told to come back later, and nothing is said to be away", async () => {
  const { client, count } = watched(
    new CalendarError("too many", { code: "RESOURCE_EXHAUSTED", reason: "OVERLOADED" }),
  );
  const text = await (await pagesOf(client)("cabinet")).text();
  expect(text).toContain("retry: 30000");
  expect(text).not.toContain("unavailable");
  expect(count()).toBe(1);
});

/** A host whose session changes while a page is open, and how often it was asked for it. */
function hostOf(session: { caller: () => Promise<Known<Caller>>; mayUse?: () => boolean; sessionCheckMs?: number }) {
  let count = 0;
  const browser = new AbortController();
  browsers.push(browser);
  const { client, open } = watched();
  const router = createRouter({
    client,
    publicOrigin: ORIGIN,
    caller: () => {
      count += 1;
      return session.caller();
    },
    mayUse: session.mayUse ?? (() => true),
    heartbeatMs: 10,
    sessionCheckMs: session.sessionCheckMs ?? 20,
  });
  const events = () =>
    router.respond(new Request(`${ORIGIN}/api/integrations/google/events`, { signal: browser.signal }), undefined);
  return { events, open, browser, asked: () => count };
}

const CAMILLE: Caller = { organisationId: "cabinet" };

it.each<[string, () => Promise<Known<Caller>>, boolean, number]>([
  ["the session has ended", () => Promise.resolve(null), true, 401],
  ["the person may look no more", () => Promise.resolve(CAMILLE), false, 403],
  ["the session is of another practice", () => Promise.resolve({ organisationId: "autre" }), true, 200],
  ["the host cannot tell", () => Promise.reject(new Error("the store of sessions is away")), true, 500],
])("once %s, an open stream ends, and the browser is to come back at once", async (_, later, mayUse, status) => {
  let isLater = false;
  const host = hostOf({
    caller: () => (isLater ? later() : Promise.resolve(CAMILLE)),
    mayUse: () => mayUse || !isLater,
  });
  const stream = (await host.events()).body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("event: status")) text += (await stream?.read())?.value ?? "";
  isLater = true;
  for (let read = await stream?.read(); read?.done === false; read = await stream?.read()) text += read.value;
  expect(text.endsWith("retry: 0\n\n"), text).toBe(true);
  await expect.poll(() => host.open.size).toBe(0);
  expect((await host.events()).status).toBe(status);
});

it("while the session stands it is looked at now and then, once at a time, and not for who has left", async () => {
  let hangs = false;
  const host = hostOf({ caller: () => (hangs ? new Promise(() => undefined) : Promise.resolve(CAMILLE)) });
  const answer = await host.events();
  const stream = answer.body?.getReader();
  void (async () => {
    while (!((await stream?.read())?.done ?? true));
  })();
  await expect.poll(() => host.asked()).toBeGreaterThan(3);
  hangs = true;
  const before = host.asked();
  await new Promise((later) => setTimeout(later, 100));
  expect(host.asked()).toBeLessThanOrEqual(before + 1);
  expect(host.open.size, "a host that does not answer ends no stream").toBe(1);

  const other = hostOf({ caller: () => Promise.resolve(CAMILLE) });
  await other.events();
  other.browser.abort();
  const left = other.asked();
  await new Promise((later) => setTimeout(later, 100));
  expect(other.asked()).toBe(left);
});

it("it is looked at every 30 s where the host says nothing else", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    const host = hostOf({ caller: () => Promise.resolve(CAMILLE), sessionCheckMs: NaN });
    await host.events();
    await vi.advanceTimersByTimeAsync(29_000);
    expect(host.asked()).toBe(1);
    await vi.advanceTimersByTimeAsync(31_000);
    expect(host.asked()).toBe(3);
  } finally {
    vi.useRealTimers();
  }
});
