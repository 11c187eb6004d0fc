/**
 * What a backend calls after each mutation of an appointment: the hot path.
 *
 * It never throws into the mutation and never holds it up for longer than its deadline. What it could not deliver is
 * lost to nobody: `reconcile` finds it again, since the service holds an older revision, or none.
 */
import type { Client } from "@connectrpc/connect";

import type { AppointmentLink, AppointmentSync } from "./gen/cassius/calendar/v1/appointment_sync_pb.js";
import { toWire, type OwnedAppointment } from "./appointment.js";
import { CalendarError } from "./error.js";
import { Faults } from "./faults.js";
import { afterDeadline } from "./time.js";

/** What became of a delivery. */
export type Delivery =
  | { delivered: true; link: AppointmentLink }
  /** The service did not say that it has taken the appointment. It may have it: sending it again does no harm. */
  | { delivered: false; error: CalendarError };

/**
 * The reason of what was not taken because the service holds a higher revision: where calls overtook each other, as it
 * should be; where the host was restored from a backup, until `replaceAppointments` has taken over what it has.
 */
export const HELD_HIGHER = "HELD_HIGHER";

/** An appointment that could not be delivered, without its content: fit to be logged. */
export interface Undelivered {
  organisationId: string;
  appointmentId: string;
  revision: string;
  error: CalendarError;
}

/** How a delivery is made. */
export interface DeliveryOptions {
  /** The longest that the mutation is held up, in milliseconds, retries included. */
  deadlineMs: number;
  /** Is told of each failure: for a log line and a counter. What it throws is dropped. */
  onUndelivered?: ((undelivered: Undelivered) => void | Promise<void>) | undefined;
}

/** Delivers one appointment. The promise always fulfils. */
export async function deliver(
  sync: Client<typeof AppointmentSync>,
  owned: OwnedAppointment,
  options: DeliveryOptions,
): Promise<Delivery> {
  const late = new AbortController();
  let callOff: (() => void) | undefined;
  try {
    // The call has its own deadline. The race is for what no deadline reaches, such as a connection that is being made.
    const overdue = new Promise<never>((_, reject) => {
      callOff = afterDeadline(options.deadlineMs, () => {
        late.abort();
        reject(new CalendarError("the deadline of the mutation passed", { code: "DEADLINE_EXCEEDED" }));
      });
    });
    const callMs = Math.max(options.deadlineMs - HEADWAY_MS, 1);
    const { link } = await Promise.race([call(sync, owned, callMs, late.signal), overdue]);
    if (link === undefined) throw new CalendarError("the answer holds no link", { code: "INTERNAL" });
    if (link.isHeldHigher) throw heldHigher(link);
    return { delivered: true, link };
  } catch (thrown) {
    const error = CalendarError.from(thrown);
    reportUndelivered(options.onUndelivered, owned, error);
    return { delivered: false, error };
  } finally {
    callOff?.();
  }
}

function heldHigher({ revision }: AppointmentLink): CalendarError {
  return new CalendarError(`the service holds the appointment at the higher revision ${revision}, and keeps that`, {
    code: "FAILED_PRECONDITION",
    reason: HELD_HIGHER,
  });
}

// So that the call's own deadline, which tells more, comes first.
const HEADWAY_MS = 25;

// Async so that what is thrown for a value at fault arrives as a rejection.
async function call(
  sync: Client<typeof AppointmentSync>,
  owned: OwnedAppointment,
  timeoutMs: number,
  signal: AbortSignal,
) {
  // A host in plain JavaScript may hand over anything.
  const given = owned as OwnedAppointment | null | undefined;
  const { organisationId, appointment } = given ?? { organisationId: "", appointment: null };
  const faults = new Faults();
  const request = {
    organisationId: faults.text("organisationId", organisationId),
    appointment: toWire(appointment),
  };
  faults.check();
  return await sync.syncAppointment(request, { timeoutMs, signal });
}

function reportUndelivered(
  hook: DeliveryOptions["onUndelivered"],
  owned: OwnedAppointment,
  error: CalendarError,
): void {
  // In a turn of its own: neither a hook that throws nor an appointment that is none reaches the mutation.
  void Promise.resolve()
    .then(() => {
      const { organisationId, appointment } = owned;
      const { appointmentId, revision } = appointment;
      return hook?.({ organisationId, appointmentId, revision: String(revision), error });
    })
    .catch(() => undefined);
}
