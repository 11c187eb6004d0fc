/**
 * Finds the appointments that the service lacks, or holds older than the host, and sends those again.
 *
 * It reads from the host through two callbacks and holds one batch in memory, and the revisions of the rows that the service
 * may still answer, however long the list. It never decides what is newer: the service compares revisions. Its
 * invariant: whatever it breaks off at, running it again is right.
 */
import type { Client } from "@connectrpc/connect";

import {
  ReconcileFinding,
  type AppointmentLink,
  type AppointmentSync,
  type ReconcileAppointmentsResponse,
  type SyncAppointmentsResponse,
} from "./gen/cassius/calendar/v1/appointment_sync_pb.js";
import { toWire, type AppointmentSnapshot } from "./appointment.js";
import { CalendarError, reasonName, type Violation } from "./error.js";
import { Faults } from "./faults.js";
import { Listing, unlessAborted, type FaultyRow, type Held } from "./listing.js";
import { calledOff } from "./retry.js";

export type { Held } from "./listing.js";

/** What is reconciled, and how the host's appointments are read. */
export interface Reconciliation<Period> {
  organisationId: string;
  /** Passed on to `list` as it is: what changed since the last good run, say, or all that is to come. */
  period: Period;
  /**
   * Yields every appointment of the period, those that were cancelled or deleted included, in any order. It is read as
   * fast as the service compares, and `load` is called in between: a list that holds a database connection while it
   * waits at a `yield` takes it from `load`, so read page by page. `signal` is aborted when the reconciliation ends.
   */
  list: (period: Period, signal: AbortSignal) => AsyncIterable<Held> | Iterable<Held>;
  /** Reads some appointments whole, as they stand now, in any order; one that is gone for good may be left out. */
  load: (appointmentIds: string[], signal: AbortSignal) => Promise<AppointmentSnapshot[]>;
  /** How many appointments are loaded and sent together. 200 by default. */
  batchSize?: number;
  /** Ends the reconciliation, also while a callback hangs. */
  signal?: AbortSignal;
}

/** One appointment that the service lacked or that could not be compared, and what became of it. */
export type Reconciled = { appointmentId: string } & (
  | { outcome: "sent"; heldRevision: bigint; link: AppointmentLink }
  /** `load` gave an older revision than `list`, such as from a replica that lags. It was not sent: the next run will. */
  | { outcome: "stale"; heldRevision: bigint }
  /**
   * The service holds a higher revision than `list` gave: it was accepted meanwhile, or the host was restored from a backup.
   * In the second case its changes do not arrive until `client.replace` has taken over what it has.
   */
  | { outcome: "held_higher"; heldRevision: bigint }
  /** `load` no longer had it. */
  | { outcome: "absent"; heldRevision: bigint }
  /** The appointment is at fault: it stays out until it is mended. */
  | {
      outcome: "rejected";
      /** `null`: its row of the list was at fault, and the service was not asked. */
      heldRevision: bigint | null;
      reason: string;
      message: string;
      violations: Violation[];
    }
);

const BATCH_SIZE = 200;

/** Runs one reconciliation, and yields what became of each. Throws `CalendarError`, or what a callback threw. */
export async function* reconcile<Period>(
  sync: Client<typeof AppointmentSync>,
  what: Reconciliation<Period>,
): AsyncGenerator<Reconciled, void, undefined> {
  const { organisationId, period, list, load } = what;
  const faults = new Faults();
  const batchSize = faults.size("batchSize", what.batchSize ?? BATCH_SIZE);
  faults.check();
  const ended = new AbortController();
  const signal = what.signal ? AbortSignal.any([what.signal, ended.signal]) : ended.signal;
  const listing = new Listing(organisationId, () => list(period, signal), signal);
  try {
    for await (const named of inBatches(sync.reconcileAppointments(listing.requests(), { signal }), batchSize)) {
      yield* listing.takeFaulty().map(rejectedRow);
      const wanted: ReconcileAppointmentsResponse[] = [];
      for (const each of named) {
        const { appointmentId, heldRevision } = each;
        if (each.finding === ReconcileFinding.HIGHER) yield { appointmentId, heldRevision, outcome: "held_higher" };
        else wanted.push(each);
      }
      if (wanted.length === 0) continue;
      const ids = wanted.map(({ appointmentId }) => appointmentId);
      const loaded = byId(await unlessAborted(load(ids, signal), signal));
      yield* send(sync, organisationId, wanted, loaded, listing, signal);
    }
    yield* listing.takeFaulty().map(rejectedRow);
  } catch (thrown) {
    throw what.signal?.aborted ? calledOff(thrown) : listing.causeOf(thrown);
  } finally {
    ended.abort();
  }
}

async function* send(
  sync: Client<typeof AppointmentSync>,
  organisationId: string,
  named: ReconcileAppointmentsResponse[],
  loaded: ReadonlyMap<string, AppointmentSnapshot>,
  listing: Listing,
  signal: AbortSignal,
): AsyncGenerator<Reconciled, void, undefined> {
  const sendable: { head: Head; appointment: ReturnType<typeof toWire> }[] = [];
  for (const { appointmentId, heldRevision } of named) {
    const head = { appointmentId, heldRevision };
    const snapshot = loaded.get(appointmentId);
    if (snapshot === undefined) {
      const spelling = otherSpelling(appointmentId, loaded.keys());
      yield spelling ? misspelt(head) : { ...head, outcome: "absent" };
      continue;
    }
    try {
      const appointment = toWire(snapshot);
      const listed = listing.revisionOf(appointmentId) ?? heldRevision;
      if (appointment.revision < listed) yield { ...head, outcome: "stale" };
      else sendable.push({ head, appointment });
    } catch (thrown) {
      yield rejected(head, CalendarError.from(thrown));
    }
  }
  if (sendable.length === 0) return;
  const requests = sendable.map(({ appointment }) => ({ organisationId, appointment }));
  const heads = sendable.values();
  for await (const answer of sync.syncAppointments(each(requests), { signal })) {
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

function rejectedRow({ appointmentId, message, violations }: FaultyRow): Reconciled {
  return { appointmentId, heldRevision: null, outcome: "rejected", reason: "INVALID_REQUEST", message, violations };
}

function rejected(head: Head, { reason, message, violations }: CalendarError): Reconciled {
  return { ...head, outcome: "rejected", reason: reason ?? "INVALID_REQUEST", message, violations: [...violations] };
}

// A host in plain JavaScript may hand over anything.
function byId(snapshots: unknown): Map<string, AppointmentSnapshot> {
  const faults = new Faults();
  if (!Array.isArray(snapshots)) throw faults.add("load", "not an array of appointments").asError();
  const loaded = (snapshots as (AppointmentSnapshot | null | undefined)[]).map((snapshot, index) => {
    if (snapshot == null)
      throw faults
        .add(`load[${index}]`, `${String(snapshot)} instead of an appointment: one that is gone is left out`)
        .asError();
    return [snapshot.appointmentId, snapshot] as const;
  });
  return new Map(loaded);
}

// A database may compare UUIDs without their letters' case, and a host give them back in the one it stores.
function otherSpelling(appointmentId: string, loaded: Iterable<string>): boolean {
  const wanted = appointmentId.toLowerCase();
  for (const id of loaded) if (typeof id === "string" && id.toLowerCase() === wanted) return true;
  return false;
}

function misspelt(head: Head): Reconciled {
  const fault = new Faults().add(
    "appointmentId",
    "`load` gave it in other letters than `list`: ids are compared exactly",
  );
  return rejected(head, fault.asError());
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
