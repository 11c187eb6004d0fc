/**
 * What the router answers when something is wrong: one JSON shape, in the browser's language.
 *
 * It tells a reason and a sentence, never a stack, a cause, or a value that came in.
 */
import Negotiator from "negotiator";

import { CalendarError } from "../error.js";
import type { ErrorAnswer, RouterReason, ViolationJson } from "./types.js";

/** A request that the router itself refuses. */
export class Refusal extends Error {
  constructor(
    readonly reason: RouterReason | "INVALID_REQUEST" | "INTERNAL",
    readonly violations: ViolationJson[] = [],
    readonly headers: Record<string, string> = {},
    /** When the next try makes sense, in milliseconds. */
    readonly retryAfterMs: number | null = null,
  ) {
    super(reason);
  }
}

/** An HTTP status and the JSON beside it. */
export interface ErrorResponse {
  status: number;
  headers: Record<string, string>;
  body: ErrorAnswer;
}

/** What the router speaks. */
export type Language = "fr" | "en";

const SENTENCES: Record<Refusal["reason"], Record<Language, string>> = {
  INVALID_REQUEST: { fr: "La demande n’est pas valable.", en: "The request is not valid." },
  INTERNAL: { fr: "Une erreur inattendue s’est produite.", en: "Something unexpected went wrong." },
  SERVICE_UNAVAILABLE: {
    fr: "Le service de calendrier est momentanément injoignable. Vos rendez-vous ne sont pas perdus.",
    en: "The calendar service cannot be reached at the moment. Your appointments are not lost.",
  },
  DEADLINE_EXCEEDED: {
    fr: "Le service de calendrier n’a pas répondu à temps.",
    en: "The calendar service did not answer in time.",
  },
  OVERLOADED: {
    fr: "Trop de demandes sont en cours. Réessayez dans quelques secondes.",
    en: "Too many requests are under way. Try again in a few seconds.",
  },
  NOT_SIGNED_IN: { fr: "Votre session a expiré. Reconnectez-vous.", en: "Your session has ended. Sign in again." },
  NOT_ALLOWED: { fr: "Vous n’avez pas le droit de faire cela.", en: "You are not allowed to do this." },
  CROSS_SITE_REQUEST: {
    fr: "La demande ne vient pas de cette application.",
    en: "The request does not come from this application.",
  },
  UNSUPPORTED_MEDIA_TYPE: { fr: "Du JSON est attendu.", en: "JSON is expected." },
  BODY_TOO_LARGE: { fr: "La demande est trop volumineuse.", en: "The request is too large." },
  ROUTE_NOT_FOUND: { fr: "Cette adresse n’existe pas.", en: "There is nothing at this address." },
  METHOD_NOT_ALLOWED: { fr: "Cette action n’existe pas ici.", en: "There is no such action here." },
};

const STATUS: Record<Refusal["reason"], number> = {
  INVALID_REQUEST: 400,
  NOT_SIGNED_IN: 401,
  NOT_ALLOWED: 403,
  CROSS_SITE_REQUEST: 403,
  ROUTE_NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  BODY_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  INTERNAL: 500,
  SERVICE_UNAVAILABLE: 503,
  OVERLOADED: 503,
  DEADLINE_EXCEEDED: 504,
};

/** Turns whatever was thrown while a request was served into an answer. */
export function toErrorResponse(thrown: unknown, acceptLanguage: string | null): ErrorResponse {
  const language = languageOf(acceptLanguage);
  if (thrown instanceof CalendarError) return fromCalendarError(thrown, language);
  const refusal = thrown instanceof Refusal ? thrown : new Refusal("INTERNAL");
  const { retryAfterMs } = refusal;
  return {
    status: STATUS[refusal.reason],
    headers: { ...refusal.headers, ...retryAfter(retryAfterMs) },
    body: {
      reason: refusal.reason,
      message: SENTENCES[refusal.reason][language],
      ...(refusal.violations.length > 0 && { violations: refusal.violations }),
      ...(retryAfterMs !== null && { retryAfterMs }),
    },
  };
}

function retryAfter(ms: number | null): Record<string, string> {
  return ms === null ? {} : { "retry-after": String(Math.ceil(ms / 1000)) };
}

function fromCalendarError(error: CalendarError, language: Language): ErrorResponse {
  const { status, fallback } = httpOf(error);
  const { retryAfterMs, incident } = error;
  return {
    status,
    headers: retryAfter(retryAfterMs),
    body: {
      reason: error.reason ?? fallback,
      message: error.localizedMessage ?? SENTENCES[fallback][language],
      ...(error.violations.length > 0 && {
        violations: error.violations.map(({ field, description }) => ({ field: jsonPath(field), description })),
      }),
      ...(retryAfterMs !== null && { retryAfterMs }),
      ...(incident !== null && { incident }),
    },
  };
}

// A fault between host and service (its key, a defect) is a bad gateway: nothing that the browser sent is wrong.
function httpOf({ code }: CalendarError): { status: number; fallback: Refusal["reason"] } {
  switch (code) {
    case "INVALID_ARGUMENT":
    case "OUT_OF_RANGE":
      return { status: 400, fallback: "INVALID_REQUEST" };
    case "NOT_FOUND":
      return { status: 404, fallback: "INTERNAL" };
    case "FAILED_PRECONDITION":
    case "ALREADY_EXISTS":
    case "ABORTED":
      return { status: 409, fallback: "INTERNAL" };
    case "UNAVAILABLE":
    case "RESOURCE_EXHAUSTED":
      return { status: 503, fallback: "SERVICE_UNAVAILABLE" };
    case "DEADLINE_EXCEEDED":
    case "CANCELLED":
      return { status: 504, fallback: "DEADLINE_EXCEEDED" };
    case "UNAUTHENTICATED":
    case "PERMISSION_DENIED":
    case "UNIMPLEMENTED":
    case "INTERNAL":
    case "DATA_LOSS":
    case "UNKNOWN":
      return { status: 502, fallback: "INTERNAL" };
  }
}

/** The language of the router's own sentences: French unless English is preferred. */
export function languageOf(acceptLanguage: string | null): Language {
  const negotiator = new Negotiator({ headers: { "accept-language": acceptLanguage ?? undefined } });
  return negotiator.language(["fr", "en"]) === "en" ? "en" : "fr";
}

// `settings.calendar_id` on the wire is `calendarId` in the body.
function jsonPath(field: string): string {
  return field.replace(/^settings\./, "").replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
