/**
 * Why a request did not succeed, by what the reader can do next.
 * It carries the router's stable reason and never a response's raw body.
 */
import type { ErrorAnswer, ReasonJson } from "../wire";

/** What the reader can do about a failure. */
export type FailureKind =
  /** The browser has no network. */
  | "offline"
  /** The host or the service is away: the same request may succeed later. */
  | "unavailable"
  /** Nobody is signed in any more. */
  | "signed_out"
  /** The person may not do this. */
  | "forbidden"
  /** Something else than the router answered: a sign-in page, or the host's own pages. */
  | "foreign"
  /** The request was understood and refused: `reason` says why. */
  | "refused";

/** Thrown by every request of the client that does not succeed. */
export class RequestFailure extends Error {
  override readonly name = "RequestFailure";

  constructor(
    readonly kind: FailureKind,
    /** The router's stable reason; `null` when the answer did not come from the router. */
    readonly reason: ReasonJson | null,
    /** A sentence for a person; empty when the answer did not come from the router. */
    message: string,
    /** The word to look for in the service's log. */
    readonly incident: string | null = null,
  ) {
    super(message);
  }
}

/** Reads the failure that an answer outside 2xx stands for. */
export async function failureOf(response: Response): Promise<RequestFailure> {
  const answer = await errorAnswerOf(response);
  return new RequestFailure(
    kindOf(response.status),
    answer?.reason ?? null,
    answer?.message ?? "",
    answer?.incident ?? null,
  );
}

/** Reads the failure behind a request that got no answer. */
export function failureOfNetwork(): RequestFailure {
  return new RequestFailure(navigator.onLine ? "unavailable" : "offline", null, "");
}

/** The failure behind an answer of 2xx that is not the router's. */
export function failureOfForeign(): RequestFailure {
  return new RequestFailure("foreign", null, "");
}

function kindOf(status: number): FailureKind {
  if (status === 401) return "signed_out";
  if (status === 403) return "forbidden";
  return status >= 500 || status === 429 || status === 408 ? "unavailable" : "refused";
}

async function errorAnswerOf(response: Response): Promise<Partial<ErrorAnswer> | null> {
  return await objectOf(response);
}

/** Reads the JSON object that an answer holds; `null` if it holds none. */
export async function objectOf(response: Response): Promise<object | null> {
  if (!(response.headers.get("content-type") ?? "").includes("application/json")) return null;
  try {
    const body: unknown = await response.json();
    return typeof body === "object" ? body : null;
  } catch {
    return null;
  }
}
