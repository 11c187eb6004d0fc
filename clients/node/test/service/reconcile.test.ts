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
  // Beyond what a message may hold.
  const endless = appointment({ patientName: "x".repeat(5_000_000) });
  const gone = appointment();
  const good = appointment();
  const { list } = keptBy([wrong, broken, endless, gone, good]);
  const { load } = keptBy([wrong, broken, endless, good]);
  const found = await all(client.reconcile({ organisationId, period: null, list, load }));
  const outcomeOf = ({ appointmentId }: AppointmentSnapshot) =>
    found.find((one) => one.appointmentId === appointmentId)?.outcome;
  expect([wrong, broken, endless, gone, good].map(outcomeOf)).toEqual([
    ...["rejected", "rejected", "rejected"],
    ...["absent", "sent"],
  ]);
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

it("a row at fault is rejected with its id and its fields, and the rest goes on", async () => {
  const organisationId = newOrganisation();
  const good = [appointment(), appointment()];
  const faulty = [
    { appointmentId: "zero", revision: 0 },
    { appointmentId: "none", revision: null as unknown as number },
    { appointmentId: "huge", revision: 2n ** 63n },
    { appointmentId: "text", revision: "one" },
    { appointmentId: "", revision: 1 },
    { appointmentId: "a\nb", revision: 1 },
    { appointmentId: "x".repeat(129), revision: 1 },
  ];
  const { list, load } = keptBy(good);
  const [first, second] = list();
  const listed = () => [first, ...faulty, second].filter((held) => held !== undefined);
  const found = await all(client.reconcile({ organisationId, period: null, list: listed, load }));
  expect(found.filter(({ outcome }) => outcome === "sent")).toHaveLength(2);
  const rejected = found.flatMap((one) => (one.outcome === "rejected" ? one : []));
  expect(rejected.map(({ appointmentId, violations }) => [appointmentId, violations[0]?.field])).toEqual([
    ["zero", "revision"],
    ["none", "revision"],
    ["huge", "revision"],
    ["text", "revision"],
    ["", "appointmentId"],
    ["a\nb", "appointmentId"],
    ["x".repeat(129), "appointmentId"],
  ]);
});

it("an id is taken or refused as the service does, whichever character it holds", async () => {
  const organisationId = newOrganisation();
  // As in the service's own test of what is invisible. One that it refused would end the reconciliation.
  const invisible =
    "\0\u007f\u0085\u00ad\u061c\u180e\u200b\u200f\u2028\u202e\u2065\u2066\u206a\ufeff\ufff0\ufff9\ue000\u034f\u115f\u2800\u3164" +
    "\uffa0\ufe0f\u180b\ufdd0\ufffe\uffff\u{1ffff}\u{e0001}\u{e0100}\u{e0fff}\u{10fffe}\ud800";
  const refused = Array.from(invisible, (character) => `a${character}b`);
  const taken = Array.from("aÉß中ا٣-_ 👩\u0301€", (character) => `a${character}b`);
  const kept = keptBy([...refused, ...taken].map((appointmentId) => appointment({ appointmentId })));
  const found = await all(client.reconcile({ organisationId, period: null, ...kept }));
  const of = (wanted: string) => found.filter(({ outcome }) => outcome === wanted).map((one) => one.appointmentId);
  expect(of("rejected")).toEqual(refused);
  expect(of("sent").sort()).toEqual(taken.sort());
});

it("an appointment that is loaded older than it was listed is stale, and not sent", async () => {
  const organisationId = newOrganisation();
  const [fresh, lagging] = [appointment({ revision: 7 }), appointment({ revision: 7 })];
  const { list } = keptBy([fresh, lagging]);
  const { load } = keptBy([fresh, { ...lagging, revision: 6 }]);
  const found = await all(client.reconcile({ organisationId, period: null, list, load }));
  expect(new Map(found.map(({ appointmentId, outcome }) => [appointmentId, outcome]))).toEqual(
    new Map([
      [fresh.appointmentId, "sent"],
      [lagging.appointmentId, "stale"],
    ]),
  );
  await expect(
    client.appointments.getAppointmentLink({ organisationId, appointmentId: lagging.appointmentId }),
  ).rejects.toMatchObject({ reason: "APPOINTMENT_NOT_FOUND" });
});

it("an id that comes back in other letters is rejected with the field", async () => {
  const organisationId = newOrganisation();
  const one = appointment();
  const shouting = { ...one, appointmentId: one.appointmentId.toUpperCase() };
  const { list } = keptBy([one]);
  const found = await all(
    client.reconcile({ organisationId, period: null, list, load: () => Promise.resolve([shouting]) }),
  );
  expect(found).toMatchObject([{ outcome: "rejected", violations: [{ field: "appointmentId" }] }]);
});

it("a status that the service ends the stream with is told, though rows are still being sent", async () => {
  const pad = "x".repeat(90);
  // eslint-disable-next-line @typescript-eslint/require-await -- a stream of requests is an async iterable by type alone
  const rows = async function* () {
    for (let row = 1; ; row += 1) {
      yield { organisationId: "cabinet", appointmentId: `rdv ${row} ${pad}`, revision: row > 1_000 ? 0n : 1n };
    }
  };
  const run = async () => {
    // Slower than the service, so that its status is there before it is read.
    for await (const { heldRevision } of client.appointments.reconcileAppointments(rows())) {
      expect(heldRevision).toBe(0n);
      await new Promise((next) => setTimeout(next, 1));
    }
  };
  await expect(run()).rejects.toMatchObject({ code: "INVALID_ARGUMENT", violations: [{ field: "revision" }] });
});

it.each(["list", "load"] as const)("it is called off while `%s` hangs, which is told so", async (hanging) => {
  const organisationId = newOrganisation();
  const leaving = new AbortController();
  const { list, load } = keptBy([appointment()]);
  let heard: AbortSignal | undefined;
  let isClosed = false;
  const hang = (signal: AbortSignal) => {
    heard = signal;
    setImmediate(() => leaving.abort());
    return new Promise<never>(() => undefined);
  };
  const reading = (signal: AbortSignal) => ({
    next: () => hang(signal),
    return: () => {
      isClosed = true;
      return Promise.resolve({ done: true as const, value: undefined });
    },
  });
  const run = client.reconcile({
    organisationId,
    period: null,
    list: hanging === "list" ? (_, signal) => ({ [Symbol.asyncIterator]: () => reading(signal) }) : list,
    load: hanging === "load" ? (_, signal) => hang(signal) : load,
    signal: leaving.signal,
  });
  await expect(all(run)).rejects.toMatchObject({ code: "CANCELLED" });
  expect(heard?.aborted).toBe(true);
  // The host's cursor is given back, though what it was asked last never comes.
  expect(isClosed).toBe(hanging === "list");
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
