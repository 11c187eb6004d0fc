/**
 * An appointment as a Node backend has it, and its way onto the wire.
 *
 * It checks what the wire has no form for, and leaves every other rule to the service. Both name all fields at fault at
 * once.
 */
import { create } from "@bufbuild/protobuf";

import { Faults } from "./faults.js";
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

/** Turns a snapshot into the wire's message. Throws INVALID_ARGUMENT, naming every field that the wire has no form for. */
export function toWire(snapshot: AppointmentSnapshot | null | undefined): Appointment {
  const faults = new Faults();
  if (snapshot === null || typeof snapshot !== "object") throw faults.add("appointment", "not an object").asError();
  const appointment = {
    appointmentId: faults.text("appointmentId", snapshot.appointmentId),
    revision: faults.integer("revision", snapshot.revision),
    state: faults.word("state", snapshot.state, STATES),
    type: faults.text("type", snapshot.type),
    patientName: faults.text("patientName", snapshot.patientName),
    practitionerName: faults.text("practitionerName", snapshot.practitionerName),
    location: faults.text("location", snapshot.location),
    ...faults.instant("startTime", snapshot.startTime),
    ...faults.instant("endTime", snapshot.endTime),
    timeZone: faults.text("timeZone", snapshot.timeZone),
    url: faults.text("url", snapshot.url),
  };
  faults.check();
  return create(AppointmentSchema, appointment);
}
