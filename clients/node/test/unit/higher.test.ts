/** A host that was restored from a backup: its revisions have gone back behind those that the service holds. */
import { expect, it } from "vitest";

import { HELD_HIGHER, ReconcileFinding, type AppointmentSnapshot, type CalendarClient } from "../../src/index.js";
import { deliver, type Undelivered } from "../../src/mutation.js";
import { reconcile } from "../../src/reconcile.js";
import { replace } from "../../src/replace.js";
import { failure } from "../failure.js";

type Sync = CalendarClient["appointments"];
const cancelled = (appointmentId: string): AppointmentSnapshot => ({ appointmentId, revision: 4, state: "cancelled" });

it("a mutation that the service does not take counts as undelivered, and says so", async () => {
  const link = { isHeldHigher: true, revision: 9n };
  const sync = { syncAppointment: () => Promise.resolve({ link }) } as unknown as Sync;
  const told: Undelivered[] = [];
  const onUndelivered = (undelivered: Undelivered) => void told.push(undelivered);
  const owned = { organisationId: "cabinet", appointment: cancelled("rdv") };
  const delivery = await deliver(sync, owned, { deadlineMs: 1_000, onUndelivered });
  expect(delivery).toMatchObject({ delivered: false, error: { code: "FAILED_PRECONDITION", reason: HELD_HIGHER } });
  await expect.poll(() => told[0]).toMatchObject({ appointmentId: "rdv", error: { reason: HELD_HIGHER } });
});

it("a reconciliation names what is held higher, and neither loads nor sends it", async () => {
  const sync = {
    // eslint-disable-next-line @typescript-eslint/require-await -- a stream is an async iterable by type alone
    async *reconcileAppointments() {
      yield { appointmentId: "rdv", heldRevision: 9n, finding: ReconcileFinding.HIGHER };
    },
  } as unknown as Sync;
  const found = [];
  const load = () => Promise.reject(new Error("nothing is to be loaded"));
  for await (const each of reconcile(sync, { organisationId: "cabinet", period: null, list: () => [], load })) {
    found.push(each);
  }
  expect(found).toEqual([{ appointmentId: "rdv", heldRevision: 9n, outcome: "held_higher" }]);
});

it.each<[string, unknown, unknown, string, string]>([
  ["the promise of a list", Promise.resolve([]), [], "list", "not an array or a generator"],
  ["no list", null, [], "list", "not an array or a generator"],
  ["no appointments", [], null, "load", "not an array of appointments"],
  ["an appointment that is none", [], [cancelled("a"), null], "load[1]", "null instead of an appointment"],
])("%s is refused in a sentence that says which callback gave it", async (_, list, loaded, field, words) => {
  const sync = {
    async *reconcileAppointments(requests: AsyncIterable<unknown>) {
      for await (const row of requests) expect(row).toBeDefined();
      yield { appointmentId: "rdv", heldRevision: 0n, finding: ReconcileFinding.MISSING };
    },
  } as unknown as Sync;
  const what = { organisationId: "cabinet", period: null, list: () => list, load: () => Promise.resolve(loaded) };
  const { code, message, violations } = await failure(reconcile(sync, what as never).next());
  expect([code, violations[0]?.field]).toEqual(["INVALID_ARGUMENT", field]);
  expect(message).toContain(words);
});

it("so is the promise of a list in a replacement", async () => {
  const { sync } = taking();
  const replacing = replace(sync, { organisationId: "cabinet", list: (() => Promise.resolve([])) as never });
  expect(await failure(replacing)).toMatchObject({ code: "INVALID_ARGUMENT", violations: [{ field: "list" }] });
});

/** A service that takes a replacement as it comes. */
function taking() {
  const parts: string[] = [];
  const sync = {
    async replaceAppointments(requests: AsyncIterable<{ part: { case: string; value: Record<string, unknown> } }>) {
      for await (const { part } of requests) {
        parts.push(`${part.case} ${String(part.value["appointmentId"] ?? part.value["appointmentCount"])}`);
      }
      return { appointmentCount: 2, erasedCount: 1 };
    },
  } as unknown as Sync;
  return { sync, parts };
}

it("a replacement sends all there is, and then its end with their number", async () => {
  const { sync, parts } = taking();
  const list = () => [cancelled("a"), cancelled("b")];
  expect(await replace(sync, { organisationId: "cabinet", list })).toMatchObject({ erasedCount: 1 });
  expect(parts).toEqual(["appointment a", "appointment b", "end 2"]);
});

it("one that breaks off has no end, and throws what broke it off", async () => {
  const { sync, parts } = taking();
  const broken = new Error("the table is gone");
  const list = function* () {
    yield cancelled("a");
    throw broken;
  };
  await expect(replace(sync, { organisationId: "cabinet", list })).rejects.toBe(broken);
  const faulty = () => [{ ...cancelled("b"), revision: "x" }];
  await expect(replace(sync, { organisationId: "cabinet", list: faulty })).rejects.toThrow(/^b: revision: /);
  expect(parts).toEqual(["appointment a"]);
});
