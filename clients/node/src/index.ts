/**
 * The door of the package: the client of cassius-calendar. The REST router is at `@cassius/calendar-client/rest`, its
 * Express adapter at `@cassius/calendar-client/express`, and the JSON types that a browser needs at
 * `@cassius/calendar-client/rest/types`.
 */
export { CalendarClient, type CalendarClientOptions } from "./client.js";
export { CalendarError, type CalendarErrorCode, type Violation } from "./error.js";
export type { AppointmentSnapshot, OwnedAppointment } from "./appointment.js";
export { HELD_HIGHER } from "./mutation.js";
export type { Replacement } from "./replace.js";
export type { Delivery, DeliveryOptions, Undelivered } from "./mutation.js";
export type { ProblemListener, ProblemNews } from "./problems.js";
export type { Held, Reconciled, Reconciliation } from "./reconcile.js";
export type { RetryPolicy } from "./retry.js";
export type { TransportOptions } from "./transport.js";
export type { CallOptions } from "./calls.js";
export * from "./gen/cassius/calendar/v1/appointment_sync_pb.js";
export * from "./gen/cassius/calendar/v1/calendar_integration_pb.js";
export * from "./gen/cassius/calendar/v1/error_reason_pb.js";
