/**
 * The client that a Cassius backend holds, one a process.
 *
 * It is the door to the generated calls and to the two ways in which appointments are kept in step: after each mutation,
 * and by reconciliation. It stores nothing.
 */
import type { Client } from "@connectrpc/connect";

import { AppointmentSync, type ReplaceAppointmentsResponse } from "./gen/cassius/calendar/v1/appointment_sync_pb.js";
import { CalendarIntegration } from "./gen/cassius/calendar/v1/calendar_integration_pb.js";
import type { OwnedAppointment } from "./appointment.js";
import { callsOf, type CallDefaults } from "./calls.js";
import { deliver, type Delivery, type DeliveryOptions } from "./mutation.js";
import { followProblems, type ProblemListener } from "./problems.js";
import { reconcile, type Reconciled, type Reconciliation } from "./reconcile.js";
import { replace, type Replacement } from "./replace.js";
import { DEFAULT_RETRY, type RetryPolicy } from "./retry.js";
import { milliseconds } from "./time.js";
import { connect, type TransportOptions } from "./transport.js";

/** How a client is set up. */
export interface CalendarClientOptions extends TransportOptions {
  /** The deadline of a call with one answer, in milliseconds, its retries included. 10,000 by default. */
  timeoutMs?: number;
  /** How UNAVAILABLE is tried again, in a call with one answer. */
  retry?: Partial<RetryPolicy>;
  /** The language of messages, as `accept-language` has it. "fr" by default; a call may say otherwise. */
  language?: string;
  /** The longest that `syncAfterMutation` holds up a mutation, in milliseconds. 500 by default. */
  mutationDeadlineMs?: number;
  /** Is told of each appointment that `syncAfterMutation` could not deliver. */
  onUndelivered?: DeliveryOptions["onUndelivered"];
}

const TIMEOUT_MS = 10_000;
const MUTATION_DEADLINE_MS = 500;

/** The calls of both services. */
export interface Calls {
  /** Every call of the service `CalendarIntegration`. */
  readonly integration: Client<typeof CalendarIntegration>;
  /** Every call of the service `AppointmentSync`. */
  readonly appointments: Client<typeof AppointmentSync>;
}

/** The way to cassius-calendar, over several connections, so that neither pages nor streams hold up a mutation. */
export class CalendarClient implements Calls {
  readonly integration: Client<typeof CalendarIntegration>;
  readonly appointments: Client<typeof AppointmentSync>;
  readonly #mutations: Client<typeof AppointmentSync>;
  readonly #pages: Calls;
  readonly #delivery: DeliveryOptions;
  readonly #close: () => void;

  constructor(options: CalendarClientOptions) {
    const connection = connect(options);
    const defaults: CallDefaults = {
      timeoutMs: milliseconds(options.timeoutMs, TIMEOUT_MS),
      retry: { ...DEFAULT_RETRY, ...options.retry },
      language: options.language ?? "fr",
    };
    const forPages = { ...connection, calls: connection.pages };
    this.integration = callsOf(CalendarIntegration, forPages, defaults);
    this.appointments = callsOf(AppointmentSync, connection, defaults);
    this.#mutations = callsOf(AppointmentSync, { ...connection, calls: connection.mutations }, defaults);
    this.#pages = { integration: this.integration, appointments: callsOf(AppointmentSync, forPages, defaults) };
    this.#delivery = {
      deadlineMs: milliseconds(options.mutationDeadlineMs, MUTATION_DEADLINE_MS),
      onUndelivered: options.onUndelivered,
    };
    this.#close = connection.close;
  }

  /**
   * Tells the service how an appointment stands, after a mutation has been committed.
   *
   * Call it with what was committed, deletions included. The promise always fulfils, at the latest when the deadline
   * has passed. Await it or not: order does not matter, the highest revision wins.
   */
  syncAfterMutation(owned: OwnedAppointment, options: Partial<DeliveryOptions> = {}): Promise<Delivery> {
    const { deadlineMs, onUndelivered } = this.#delivery;
    return deliver(this.#mutations, owned, {
      deadlineMs: milliseconds(options.deadlineMs, deadlineMs),
      onUndelivered: options.onUndelivered ?? onUndelivered,
    });
  }

  /**
   * Finds the appointments that the service lacks or holds older, and sends those again.
   *
   * Run it at the start of the backend and every few minutes over what changed since the last good run, with an overlap,
   * and every night over some weeks.
   */
  reconcile<Period>(what: Reconciliation<Period>): AsyncGenerator<Reconciled, void, undefined> {
    return reconcile(this.appointments, what);
  }

  /**
   * Has the service take over everything that the host has of an organisation, at lower revisions too, and erase the rest:
   * after the host was restored from a backup.
   */
  replace(what: Replacement): Promise<ReplaceAppointmentsResponse> {
    return replace(this.appointments, what);
  }

  /**
   * Tells which integrations break, heal, or have been broken for 1, 3 and 7 days, of all organisations that the key stands
   * for. One process of the host is enough. Answers how to end it.
   */
  onProblem(onProblem: ProblemListener["onProblem"], onFailure?: ProblemListener["onFailure"]): () => void {
    const ended = new AbortController();
    void followProblems(this.integration, { onProblem, signal: ended.signal, ...(onFailure && { onFailure }) });
    return () => ended.abort();
  }

  /**
   * The same calls for what pages ask, none of which goes where the host's own go. A client that was made up, for a test,
   * is taken as it is.
   */
  static forPages(client: CalendarClient): Calls {
    return #pages in client ? client.#pages : client;
  }

  /** Closes the connections; calls under way fail. */
  close(): void {
    this.#close();
  }
}
