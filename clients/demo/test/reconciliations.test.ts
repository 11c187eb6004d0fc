/** When the demo reconciles: soon after a delivery failed, and every so often in any case. */
import type { CalendarClient } from "@cassius/calendar-client";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { PEOPLE } from "../src/server/people.js";
import type { Rdvs } from "../src/server/rdvs.js";
import { Reconciliations } from "../src/server/reconciliations.js";

const EVERY_MS = 60_000;
const practices = new Set(PEOPLE.map((person) => person.organisationId)).size;

beforeEach(() => void vi.useFakeTimers({ now: 0 }));
afterEach(() => void vi.useRealTimers());

interface Asked {
  organisationId: string;
  period: number;
}

/** A keeper, and when it began to reconcile which practice since when, in milliseconds. */
function keeper() {
  const begun: number[] = [];
  const asked: Asked[] = [];
  const erased = new Set<string>();
  let whileRunning: (signal: AbortSignal) => Promise<void> = () => Promise.resolve();
  const client = {
    // eslint-disable-next-line require-yield -- there is nothing to reconcile
    reconcile: async function* ({ organisationId, period, signal }: Asked & { signal: AbortSignal }) {
      begun.push(Date.now());
      asked.push({ organisationId, period });
      await whileRunning(signal);
    },
  } as unknown as CalendarClient;
  const rdvs = {} as unknown as Rdvs;
  const options = { client, rdvs, erasures: erased, publicUrl: "https://cassius.example", everyMs: EVERY_MS };
  const reconciliations = new Reconciliations(options);
  const meanwhile = (doing: typeof whileRunning) => (whileRunning = doing);
  return { reconciliations, asked, erased, meanwhile, runs: () => begun.filter((_, index) => index % practices === 0) };
}

it("a delivery that fails brings the next run forward, and further ones push it back no more", async () => {
  const { reconciliations, runs } = keeper();
  reconciliations.begin();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(runs()).toEqual([0]);
  for (let second = 0; second < 10; second += 1) {
    reconciliations.hurry();
    await vi.advanceTimersByTimeAsync(1_000);
  }
  expect(runs().slice(1)).toEqual([12_000, 14_000, 16_000, 18_000, 20_000]);
  reconciliations.end();
});

it("a run comes every so often, and none after the end", async () => {
  const { reconciliations, runs } = keeper();
  reconciliations.begin();
  await vi.advanceTimersByTimeAsync(2 * EVERY_MS);
  expect(runs()).toEqual([0, EVERY_MS, 2 * EVERY_MS]);
  reconciliations.end();
  reconciliations.hurry();
  await vi.advanceTimersByTimeAsync(2 * EVERY_MS);
  expect(runs()).toHaveLength(3);
});

it.each([
  ["succeeds", () => Promise.resolve()],
  ["fails", () => Promise.reject(new Error("the service is away"))],
])("a restart that is asked for during a run that %s is a whole run, right after it", async (_, ends) => {
  const { reconciliations, asked, meanwhile } = keeper();
  const { organisationId = "" } = PEOPLE[0] ?? {};
  const ofIt = () => asked.splice(0).filter((each) => each.organisationId === organisationId);
  reconciliations.begin();
  await vi.advanceTimersByTimeAsync(EVERY_MS - 1);
  ofIt();
  let isFirst = true;
  meanwhile(() => {
    if (!isFirst) return Promise.resolve();
    isFirst = false;
    reconciliations.restart(organisationId);
    return ends();
  });
  await vi.advanceTimersByTimeAsync(1 + 2_000);
  expect(ofIt().map(({ period }) => period)).toEqual([-EVERY_MS, 0]);
  reconciliations.end();
});

it("nothing of a practice that was erased is sent until it is connected anew, and then all of it", async () => {
  const { reconciliations, asked, erased } = keeper();
  const { organisationId = "" } = PEOPLE[0] ?? {};
  const ofIt = () => asked.splice(0).filter((each) => each.organisationId === organisationId);
  reconciliations.begin();
  await vi.advanceTimersByTimeAsync(2 * EVERY_MS);
  expect(ofIt().map(({ period }) => period)).toEqual([0, -EVERY_MS, 0]);
  erased.add(organisationId);
  await vi.advanceTimersByTimeAsync(2 * EVERY_MS);
  expect(ofIt()).toEqual([]);
  erased.delete(organisationId);
  reconciliations.restart(organisationId);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(ofIt().map(({ period }) => period)).toEqual([0]);
  reconciliations.end();
});

it("a run that is under way of a practice that is left has ended before the host goes on, and the others' go on", async () => {
  const { reconciliations, asked, erased, meanwhile } = keeper();
  const [first = "", second = ""] = new Set(PEOPLE.map((person) => person.organisationId));
  const left = new Set<string>();
  meanwhile(
    (signal) =>
      new Promise((_, reject) => {
        const { organisationId = "" } = asked.at(-1) ?? {};
        signal.addEventListener("abort", () => {
          left.add(organisationId);
          reject(new Error("called off"));
        });
      }),
  );
  reconciliations.begin();
  await vi.advanceTimersByTimeAsync(0);
  await reconciliations.leave(second);
  expect([...left]).toEqual([]);
  erased.add(first);
  await reconciliations.leave(first);
  expect([...left]).toEqual([first]);
  expect(asked.map(({ organisationId }) => organisationId)).toEqual([first, second]);
  reconciliations.end();
});
