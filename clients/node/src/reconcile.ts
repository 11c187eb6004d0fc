/**
 * Finds the appointments of a period that the service lacks, and sends those again.
 *
 * It reads from the host through two callbacks and holds one batch in memory, however long the period. It never decides
 * what is newer: the service compares revisions. Its invariant: whatever it breaks off at, running it again is right.
 */
import type { Client } from "@connectrpc/connect";

import type {
  AppointmentLink,
  AppointmentSync,
  ReconcileAppointmentsResponse,
  SyncAppointmentsResponse,
} from "./gen/cassius/calendar/v1/appointment_sync_pb.js";
import { integer, toWire, type AppointmentSnapshot } from "./appointment.js";
import { CalendarError, reasonName, type Violation } from "./error.js";

/** An appointment of the period by its id and the revision that the host has it at. */
export interface Held {
  appointmentId: string;
  revision: bigint | number | string;
}

/** What is reconciled, and how the host's appointments are read. */
export interface Reconciliation<Period> {
  organisationId: string;
  /** Passed on to `list` as it is. */
  period: Period;
  /** Yields every appointment of the period, those that were cancelled or deleted included, in any order. */
  list: (period: Period) => AsyncIterable<Held> | Iterable<Held>;
  /** Reads some appointments whole, as they stand now, in any order; one that is gone for good may be left out. */
  load: (appointmentIds: string[]) => Promise<AppointmentSnapshot[]>;
  /** How many appointments are loaded and sent together. 200 by default. */
  batchSize?: number;
  /** Ends the reconciliation. */
  signal?: AbortSignal;
}

/** One appointment that the service lacked, and what became of it. */
export type Reconciled = {
  appointmentId: string;
  /** The revision that the service held; 0 if it did not have the appointment. */
  heldRevision: bigint;
} & (
  | { outcome: "sent"; link: AppointmentLink }
  /** The appointment is at fault: it stays out until it is mended. */
  | { outcome: "rejected"; reason: string; message: string; violations: Violation[] }
  /** `load` had it no more. */
  | { outcome: "absent" }
);

const BATCH_SIZE = 200;

/** Runs one reconciliation, and yields each appointment that was sent again. Throws `CalendarError`, or what a callback threw. */
export async function* reconcile<Period>(
  sync: Client<typeof AppointmentSync>,
  what: Reconciliation<Period>,
): AsyncGenerator<Reconciled, void, undefined> {
  const { organisationId, signal } = what;
  const fault = new HostFault();
  const options = signal ? { signal } : {};
  const asked = heldOf(what, fault);
  try {
    for await (const named of inBatches(sync.reconcileAppointments(asked, options), what.batchSize ?? BATCH_SIZE)) {
      const loaded = await what.load(named.map(({ appointmentId }) => appointmentId));
      yield* send(sync, organisationId, named, loaded, options);
    }
  } catch (thrown) {
    throw fault.hadBy(thrown);
  }
}

// Pulls by hand: what the stream throws in at the `yield` is its own failure, and only the rest is the host's.
async function* heldOf<Period>({ organisationId, period, list }: Reconciliation<Period>, fault: HostFault) {
  const items = await fault.watch(() => pulling(list(period)));
  try {
    for (;;) {
      const held = await fault.watch(async () => {
        const { done, value } = await items.next();
        return done === true ? null : { ...value, revision: integer("revision", value.revision) };
      });
      if (held === null) return;
      yield { organisationId, appointmentId: held.appointmentId, revision: held.revision };
    }
  } finally {
    await items.return?.();
  }
}

function pulling<T>(items: AsyncIterable<T> | Iterable<T>): AsyncIterator<T, unknown> | Iterator<T, unknown> {
  return Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
}

async function* send(
  sync: Client<typeof AppointmentSync>,
  organisationId: string,
  named: ReconcileAppointmentsResponse[],
  loaded: AppointmentSnapshot[],
  options: { signal?: AbortSignal },
): AsyncGenerator<Reconciled, void, undefined> {
  const snapshots = new Map(loaded.map((snapshot) => [snapshot.appointmentId, snapshot]));
  const sendable: { head: Head; appointment: ReturnType<typeof toWire> }[] = [];
  for (const { appointmentId, heldRevision } of named) {
    const head = { appointmentId, heldRevision };
    const snapshot = snapshots.get(appointmentId);
    if (snapshot === undefined) {
      yield { ...head, outcome: "absent" };
      continue;
    }
    try {
      sendable.push({ head, appointment: toWire(snapshot) });
    } catch (thrown) {
      const { message, violations } = CalendarError.from(thrown);
      yield { ...head, outcome: "rejected", reason: "INVALID_REQUEST", message, violations: [...violations] };
    }
  }
  if (sendable.length === 0) return;
  const requests = sendable.map(({ appointment }) => ({ organisationId, appointment }));
  const heads = sendable.values();
  for await (const answer of sync.syncAppointments(each(requests), options)) {
    const next = heads.next();
    if (next.done) break;
    yield reconciled(next.value.head, answer);
  }
  if (!heads.next().done) {
    throw new CalendarError("the service ended the stream early", { code: "UNAVAILABLE" });
  }
}

interface Head {
  appointmentId: string;
  heldRevision: bigint;
}

function reconciled(head: Head, { result }: SyncAppointmentsResponse): Reconciled {
  switch (result.case) {
    case "link":
      return { ...head, outcome: "sent", link: result.value };
    case "rejection": {
      const { reason, message, violations } = result.value;
      return {
        ...head,
        outcome: "rejected",
        reason: reasonName(reason),
        message,
        violations: violations.map(({ field, description }) => ({ field, description })),
      };
    }
    case undefined:
      throw new CalendarError("the service gave an answer that this client does not know", { code: "UNIMPLEMENTED" });
  }
}

async function* inBatches<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[], void, undefined> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length >= size) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

// eslint-disable-next-line @typescript-eslint/require-await -- a stream of requests is an async iterable by type alone
async function* each<T>(items: T[]): AsyncGenerator<T, void, undefined> {
  yield* items;
}

/** Remembers what the host's `list` threw, which a stream would tell as a failure of its own. */
class HostFault {
  #thrown: { value: unknown } | undefined;

  async watch<T>(doing: () => T | Promise<T>): Promise<T> {
    try {
      return await doing();
    } catch (value) {
      this.#thrown = { value };
      throw value;
    }
  }

  hadBy(thrown: unknown): unknown {
    return this.#thrown === undefined ? thrown : this.#thrown.value;
  }
}
