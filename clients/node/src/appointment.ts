/**
 * An appointment as a Node backend has it, and its way onto the wire.
 *
 * It checks nothing that the service checks: the service names every field at fault at once.
 */
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";

import { CalendarError } from "./error.js";
import {
  AppointmentSchema,
  AppointmentState,
  type Appointment,
} from "./gen/cassius/calendar/v1/appointment_sync_pb.js";

/** An appointment, whole, as it stands at one revision. */
export interface AppointmentSnapshot {
  /** The id of the appointment in Cassius. */
  appointmentId: string;
  /** Grows with every mutation of this appointment; above 0. A string of digits too, as `pg` reads a BIGINT. */
  revision: bigint | number | string;
  /** For `cancelled` and `deleted`, id and revision are enough beside it. */
  state: "scheduled" | "cancelled" | "deleted";
  /** The kind of appointment as the practice calls it. */
  type?: string | null;
  patientName?: string | null;
  practitionerName?: string | null;
  location?: string | null;
  /** Required when scheduled. */
  startTime?: Date | null;
  /** Required when scheduled. */
  endTime?: Date | null;
  /** IANA name, such as "Europe/Paris". Required when scheduled. */
  timeZone?: string | null;
  /** The page of the appointment in Cassius; absent: the service builds it. */
  url?: string | null;
}

/** An appointment and whose it is. */
export interface OwnedAppointment {
  organisationId: string;
  appointment: AppointmentSnapshot;
}

const STATES = {
  scheduled: AppointmentState.SCHEDULED,
  cancelled: AppointmentState.CANCELLED,
  deleted: AppointmentState.DELETED,
} as const;

/** Turns a snapshot into the wire's message. Throws INVALID_ARGUMENT on what the wire has no form for. */
export function toWire(snapshot: AppointmentSnapshot): Appointment {
  return create(AppointmentSchema, {
    appointmentId: snapshot.appointmentId,
    revision: integer("revision", snapshot.revision),
    state: STATES[snapshot.state],
    type: snapshot.type ?? "",
    patientName: snapshot.patientName ?? "",
    practitionerName: snapshot.practitionerName ?? "",
    location: snapshot.location ?? "",
    ...(snapshot.startTime && { startTime: timestamp("startTime", snapshot.startTime) }),
    ...(snapshot.endTime && { endTime: timestamp("endTime", snapshot.endTime) }),
    timeZone: snapshot.timeZone ?? "",
    url: snapshot.url ?? "",
  });
}

function timestamp(field: string, instant: Date) {
  if (Number.isNaN(instant.getTime())) throw atFault(field, "not a valid Date");
  return timestampFromDate(instant);
}

/** Reads an integer of any size. Throws INVALID_ARGUMENT, naming `field`. */
export function integer(field: string, value: bigint | number | string): bigint {
  try {
    return BigInt(value);
  } catch {
    throw atFault(field, "not an integer");
  }
}

function atFault(field: string, description: string): CalendarError {
  return new CalendarError(`${field}: ${description}`, {
    code: "INVALID_ARGUMENT",
    reason: "INVALID_REQUEST",
    violations: [{ field, description }],
  });
}
