/**
 * Reads a host's list of what it has into the stream that the service compares.
 *
 * It never sends a row that would end the stream: a row at fault is put aside, and the rest goes on. It remembers what the
 * host's own code threw, which a stream would tell as a failure of its own.
 */
import { calledOff } from "./retry.js";
import { Faults } from "./faults.js";
import type { Violation } from "./error.js";

/** An appointment of the host by its id and the revision that the host has it at. */
export interface Held {
  appointmentId: string;
  revision: bigint | number | string;
}

/** A row of the list that was not sent. */
export interface FaultyRow {
  /** As the host gave it, if it is a text at all. */
  appointmentId: string;
  message: string;
  violations: Violation[];
}

// More than connection and service hold between a row and its answer; beyond it the oldest are forgotten.
const REMEMBERED_ROWS = 65_536;

/** The list of one reconciliation. */
export class Listing {
  readonly #organisationId: string;
  readonly #read: () => AsyncIterable<Held> | Iterable<Held>;
  readonly #signal: AbortSignal;
  readonly #revisions = new Map<string, bigint>();
  #faulty: FaultyRow[] = [];
  #thrown: { value: unknown } | undefined;

  /** `read` begins the host's list; reading ends with `signal`. */
  constructor(organisationId: string, read: () => AsyncIterable<Held> | Iterable<Held>, signal: AbortSignal) {
    this.#organisationId = organisationId;
    this.#read = read;
    this.#signal = signal;
  }

  /** The rows as the service takes them. */
  async *requests() {
    const items = await this.#watch(() => iteratorOf(this.#read()));
    try {
      for (;;) {
        const { done, value } = await this.#watch(() => unlessAborted(items.next(), this.#signal));
        if (done === true) return;
        const row = this.#checked(value);
        if (row !== null) yield { organisationId: this.#organisationId, ...row };
      }
    } finally {
      const closed = Promise.resolve(items.return?.());
      // A list that hangs does not close either.
      if (this.#signal.aborted) closed.catch(() => undefined);
      else await closed;
    }
  }

  /** The revision that a row had; `undefined` if it was listed too long ago, or never. */
  revisionOf(appointmentId: string): bigint | undefined {
    return this.#revisions.get(appointmentId);
  }

  /** The rows at fault since the last time. */
  takeFaulty(): FaultyRow[] {
    const taken = this.#faulty;
    this.#faulty = [];
    return taken;
  }

  /** What the host's list threw, else `thrown`. */
  causeOf(thrown: unknown): unknown {
    return this.#thrown === undefined ? thrown : this.#thrown.value;
  }

  #checked(held: Held | null | undefined): (Held & { revision: bigint }) | null {
    const faults = new Faults();
    const { appointmentId, revision } = held ?? { appointmentId: "", revision: 0 };
    const row = {
      appointmentId: faults.identifier("appointmentId", appointmentId),
      revision: faults.revision("revision", revision),
    };
    const { violations } = faults;
    if (violations.length > 0) {
      this.#faulty.push({ appointmentId: row.appointmentId, message: faults.asError().message, violations });
      return null;
    }
    this.#remember(row);
    return row;
  }

  #remember({ appointmentId, revision }: { appointmentId: string; revision: bigint }): void {
    this.#revisions.delete(appointmentId);
    this.#revisions.set(appointmentId, revision);
    if (this.#revisions.size <= REMEMBERED_ROWS) return;
    for (const oldest of this.#revisions.keys()) {
      this.#revisions.delete(oldest);
      break;
    }
  }

  async #watch<T>(reading: () => T | Promise<T>): Promise<T> {
    try {
      return await reading();
    } catch (value) {
      this.#thrown = { value };
      throw value;
    }
  }
}

/** Waits for the host, but no longer than until `signal` is aborted: then it throws CANCELLED. */
export function unlessAborted<T>(doing: T | Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(calledOff(signal.reason));
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave, { once: true });
    void Promise.resolve(doing)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener("abort", leave));
  });
}

function iteratorOf<T>(items: AsyncIterable<T> | Iterable<T>): AsyncIterator<T, unknown> | Iterator<T, unknown> {
  checkList(items);
  return Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
}

/** Throws INVALID_ARGUMENT unless `items` can be iterated, as the promise of an array cannot. */
export function checkList(items: unknown): void {
  const isList =
    typeof items === "object" && items !== null && (Symbol.asyncIterator in items || Symbol.iterator in items);
  if (!isList) throw new Faults().add("list", "not an array or a generator, nor an async generator").asError();
}
