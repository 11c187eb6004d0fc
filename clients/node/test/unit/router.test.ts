/** The router before a service that is made up: what depends on the host alone. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { expect, it } from "vitest";

import type { CalendarClient } from "../../src/index.js";
import { createRouter, type Known, type Caller } from "../../src/rest/index.js";
import { statusStream } from "../../src/rest/events.js";

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
  const router = createRouter({ client: silent, publicOrigin: ORIGIN, caller, ...changes });
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
  const answer = await ask({ caller: () => nobody, mayUse: () => true });
  expect(answer.status).toBe(401);
});

it("a stream of events ends when its time is up, whatever the garbage collector does", async () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as () => void;
  const about = { client: silent, organisationId: "cabinet", acceptLanguage: null, heartbeatMs: 5, lifetimeMs: 50 };
  const reader = statusStream(about, new AbortController().signal).getReader();
  let isOver = false;
  while (!isOver) {
    collectGarbage();
    isOver = (await reader.read()).done;
  }
});

it("it ends at once for a browser that has left already", async () => {
  const about = {
    client: silent,
    organisationId: "cabinet",
    acceptLanguage: null,
    heartbeatMs: 5,
    lifetimeMs: undefined,
  };
  const reader = statusStream(about, AbortSignal.abort()).getReader();
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
