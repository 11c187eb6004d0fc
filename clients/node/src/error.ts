/**
 * What a failed call is told as: one error type, read from the details that the service attaches.
 *
 * It never holds patient data or a secret: the service puts none into an error, and this room adds none. Its invariant:
 * every call of the client fails with a `CalendarError` and with nothing else.
 */
import { durationMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";

import { ErrorReason } from "./gen/cassius/calendar/v1/error_reason_pb.js";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  LocalizedMessageSchema,
  RetryInfoSchema,
} from "./gen/google/rpc/error_details_pb.js";

/** The gRPC codes by their names, as `google.rpc.Code` spells them. */
export type CalendarErrorCode =
  | "CANCELLED"
  | "UNKNOWN"
  | "INVALID_ARGUMENT"
  | "DEADLINE_EXCEEDED"
  | "NOT_FOUND"
  | "ALREADY_EXISTS"
  | "PERMISSION_DENIED"
  | "RESOURCE_EXHAUSTED"
  | "FAILED_PRECONDITION"
  | "ABORTED"
  | "OUT_OF_RANGE"
  | "UNIMPLEMENTED"
  | "INTERNAL"
  | "UNAVAILABLE"
  | "DATA_LOSS"
  | "UNAUTHENTICATED";

const CODES: Record<Code, CalendarErrorCode> = {
  [Code.Canceled]: "CANCELLED",
  [Code.Unknown]: "UNKNOWN",
  [Code.InvalidArgument]: "INVALID_ARGUMENT",
  [Code.DeadlineExceeded]: "DEADLINE_EXCEEDED",
  [Code.NotFound]: "NOT_FOUND",
  [Code.AlreadyExists]: "ALREADY_EXISTS",
  [Code.PermissionDenied]: "PERMISSION_DENIED",
  [Code.ResourceExhausted]: "RESOURCE_EXHAUSTED",
  [Code.FailedPrecondition]: "FAILED_PRECONDITION",
  [Code.Aborted]: "ABORTED",
  [Code.OutOfRange]: "OUT_OF_RANGE",
  [Code.Unimplemented]: "UNIMPLEMENTED",
  [Code.Internal]: "INTERNAL",
  [Code.Unavailable]: "UNAVAILABLE",
  [Code.DataLoss]: "DATA_LOSS",
  [Code.Unauthenticated]: "UNAUTHENTICATED",
};

/** One field at fault. */
export interface Violation {
  /** The path of the field in the request, such as `appointment.start_time`. */
  field: string;
  description: string;
}

/** What a `CalendarError` tells beside its message. */
export interface CalendarErrorFields {
  code: CalendarErrorCode;
  reason?: string | null;
  violations?: Violation[];
  localizedMessage?: string | null;
  retryAfterMs?: number | null;
  incident?: string | null;
  cause?: unknown;
}

/** A call that failed. Program against `reason`; treat one you do not know by `code`. */
export class CalendarError extends Error {
  override readonly name = "CalendarError";
  /** The gRPC code. */
  readonly code: CalendarErrorCode;
  /** The stable reason of `error_reason.proto` without its prefix; `null` if the call never reached the service. */
  readonly reason: string | null;
  /** Every field at fault, after INVALID_ARGUMENT. */
  readonly violations: readonly Violation[];
  /** A sentence for a person, in the language that was asked for; `null` if the service gave none. */
  readonly localizedMessage: string | null;
  /** How long the service asks to wait before the next try, in milliseconds; `null` if it does not ask. */
  readonly retryAfterMs: number | null;
  /** The word to look for in the service's log, after a defect. */
  readonly incident: string | null;

  constructor(message: string, fields: CalendarErrorFields) {
    super(message, { cause: fields.cause });
    this.code = fields.code;
    this.reason = fields.reason ?? null;
    this.violations = fields.violations ?? [];
    this.localizedMessage = fields.localizedMessage ?? null;
    this.retryAfterMs = fields.retryAfterMs ?? null;
    this.incident = fields.incident ?? null;
  }

  /** Reads whatever a call threw that its caller did not call off; a `CalendarError` stays itself. */
  static from(thrown: unknown): CalendarError {
    if (thrown instanceof CalendarError) return thrown;
    const error = ConnectError.from(thrown);
    const info = error.findDetails(ErrorInfoSchema).find((detail) => detail.domain === "calendar.cassius");
    const delay = error.findDetails(RetryInfoSchema)[0]?.retryDelay;
    return new CalendarError(error.rawMessage, {
      code: isLostConnection(error) ? "UNAVAILABLE" : CODES[error.code],
      reason: info?.reason ?? null,
      violations: error
        .findDetails(BadRequestSchema)
        .flatMap((detail) => detail.fieldViolations)
        .map(({ field, description }) => ({ field, description })),
      localizedMessage: error.findDetails(LocalizedMessageSchema)[0]?.message ?? null,
      retryAfterMs: delay === undefined ? null : durationMs(delay),
      incident: info?.metadata["incident"] ?? null,
      cause: error,
    });
  }
}

/** The name of a reason without its prefix. One that is newer than this client has no name here: `INTERNAL`. */
export function reasonName(reason: ErrorReason): string {
  return (ErrorReason as Record<number, string | undefined>)[reason] ?? "INTERNAL";
}

// What Node says when a connection breaks under a call. gRPC calls that UNAVAILABLE; connect-node knows some of them as
// ABORTED or INTERNAL. Every call of the service is idempotent, so that sending it again is safe.
const LOST_CONNECTION = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ERR_STREAM_DESTROYED",
  "ERR_STREAM_PREMATURE_CLOSE",
  "ERR_HTTP2_INVALID_STREAM",
  "ERR_HTTP2_INVALID_SESSION",
  "ERR_HTTP2_GOAWAY_SESSION",
  "ERR_HTTP2_SESSION_ERROR",
  "ERR_HTTP2_STREAM_CANCEL",
]);

// What a server says of a stream that it never looked at.
const REFUSED_STREAM = "NGHTTP2_REFUSED_STREAM";

function isLostConnection(error: ConnectError): boolean {
  if (error.code === Code.DeadlineExceeded) return false;
  // Who called a call off knows it. What else ends as cancelled is a stream whose connection went away in good order.
  if (error.code === Code.Canceled) return true;
  const seen = new Set<unknown>();
  // By its shape: under Jest Node's own errors are of another realm, and none is an `instanceof Error`.
  for (let cause = error.cause; isErrorLike(cause) && !seen.has(cause); cause = cause.cause) {
    seen.add(cause);
    if (typeof cause.code === "string" && LOST_CONNECTION.has(cause.code)) return true;
    if (cause.message.includes(REFUSED_STREAM)) return true;
  }
  return false;
}

function isErrorLike(value: unknown): value is { message: string; code?: unknown; cause?: unknown } {
  return typeof value === "object" && value !== null && "message" in value && typeof value.message === "string";
}
