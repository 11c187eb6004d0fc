import { afterAll, expect, it } from "vitest";

import type { AppointmentSnapshot, Reconciled } from "../../src/index.js";
import { appointment, connectTo, newOrganisation } from "./service.js";

const client = connectTo();
afterAll(() => client.close());

function keptBy(appointments: AppointmentSnapshot[]) {
  return {
    list: () => appointments.map(({ appointmentId, revision }) => ({ appointmentId, revision })),
    load: (ids: string[]) =>
      Promise.resolve(appointments.filter(({ appointmentId }) => ids.includes(appointmentId)).reverse()),
  };
}

async function all(run: AsyncIterable<Reconciled>): Promise<Reconciled[]> {
  const found: Reconciled[] = [];
  for await (const reconciled of run) found.push(reconciled);
  return found;
}

it("what the service lacks or holds older is sent, the rest is left alone, and a second run finds nothing", async () => {
  const organisationId = newOrganisation();
  const known = appointment({ revision: 5 });
  const stale = appointment({ revision: 5 });
  await client.syncAfterMutation({ organisationId, appointment: known });
  await client.syncAfterMutation({ organisationId, appointment: stale });
  const deleted = { ...stale, revision: 6, state: "deleted" as const };
  const lost = Array.from({ length: 7 }, () => appointment());
  const kept = { organisationId, period: null, ...keptBy([known, deleted, ...lost]), batchSize: 3 };

  const found = await all(client.reconcile(kept));
  expect(found.map(({ outcome }) => outcome)).toEqual(Array(8).fill("sent"));
  expect(new Set(found.map(({ appointmentId }) => appointmentId))).toEqual(
    new Set([deleted, ...lost].map(({ appointmentId }) => appointmentId)),
  );
  expect(found.find(({ appointmentId }) => appointmentId === deleted.appointmentId)?.heldRevision).toBe(5n);
  expect(await all(client.reconcile(kept))).toEqual([]);
});

it("one appointment at fault holds up no other", async () => {
  const organisationId = newOrganisation();
  const wrong = appointment({ timeZone: "Paris" });
  const broken = appointment({ endTime: new Date(NaN) });
  const gone = appointment();
  const good = appointment();
  const { list } = keptBy([wrong, broken, gone, good]);
  const { load } = keptBy([wrong, broken, good]);
  const found = await all(client.reconcile({ organisationId, period: null, list, load }));
  const outcomeOf = ({ appointmentId }: AppointmentSnapshot) =>
    found.find((one) => one.appointmentId === appointmentId)?.outcome;
  expect([wrong, broken, gone, good].map(outcomeOf)).toEqual(["rejected", "rejected", "absent", "sent"]);
  const rejected = found.find((one) => one.appointmentId === wrong.appointmentId);
  expect(rejected).toMatchObject({
    reason: "INVALID_REQUEST",
    violations: [{ field: expect.stringContaining("time_zone") as string }],
  });
});

it("many thousands pass through in batches", async () => {
  const organisationId = newOrganisation();
  const many = Array.from({ length: 3_000 }, () => appointment());
  const sizes: number[] = [];
  const { list, load } = keptBy(many);
  const found = await all(
    client.reconcile({
      organisationId,
      period: null,
      list,
      load: (ids) => {
        sizes.push(ids.length);
        return load(ids);
      },
    }),
  );
  expect(found.every(({ outcome }) => outcome === "sent")).toBe(true);
  expect(found).toHaveLength(3_000);
  expect(Math.max(...sizes)).toBe(200);
});

it("what the host's own callbacks throw comes through as it is", async () => {
  const organisationId = newOrganisation();
  const fault = new Error("the database is away");
  const { list, load } = keptBy([appointment()]);
  const failing = function* () {
    yield* list();
    throw fault;
  };
  await expect(all(client.reconcile({ organisationId, period: null, list: failing, load }))).rejects.toBe(fault);
  const refusing = () => Promise.reject(fault);
  await expect(all(client.reconcile({ organisationId, period: null, list, load: refusing }))).rejects.toBe(fault);
});

it("leaving early closes the host's listing", async () => {
  const organisationId = newOrganisation();
  let isClosed: () => void;
  const closed = new Promise<void>((resolve) => (isClosed = resolve));
  const { load } = keptBy([]);
  const endless = async function* () {
    try {
      for (;;) {
        yield await Promise.resolve(appointment());
      }
    } finally {
      isClosed();
    }
  };
  for await (const { outcome } of client.reconcile({ organisationId, period: null, list: endless, load })) {
    expect(outcome).toBe("absent");
    break;
  }
  await closed;
});
