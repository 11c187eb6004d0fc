/**
 * Tries a call again while the service is away.
 *
 * It never repeats a call for another reason than UNAVAILABLE, and never waits past the deadline: a wait that would end
 * after it is not begun, so that the caller learns the true reason rather than DEADLINE_EXCEEDED.
 */
import { setTimeout as sleep } from "node:timers/promises";

import pRetry from "p-retry";

import { CalendarError } from "./error.js";

/** How often and how slowly a call is tried again. */
export interface RetryPolicy {
  /** How many further tries there are at most; 0 turns retries off. */
  retries: number;
  /** The first wait in milliseconds. Each one is doubled, with up to as much again added by chance. */
  firstWaitMs: number;
  /** The longest wait in milliseconds, beside what the service itself asks for. */
  longestWaitMs: number;
}

/** Three further tries, about 100, 200 and 400 ms apart. */
export const DEFAULT_RETRY: RetryPolicy = { retries: 3, firstWaitMs: 100, longestWaitMs: 2_000 };

/** Runs `call`, which is told how many milliseconds it may take, until it succeeds or must not be tried again. */
export async function withRetry<T>(
  call: (remainingMs: number) => Promise<T>,
  policy: RetryPolicy,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let latest: CalendarError | undefined;
  try {
    return await pRetry(
      async () => {
        const remainingMs = Math.ceil(deadline - performance.now());
        if (remainingMs <= 0 && latest !== undefined) throw latest;
        try {
          return await call(remainingMs);
        } catch (thrown) {
          latest = CalendarError.from(thrown);
          throw latest;
        }
      },
      {
        retries: policy.retries,
        minTimeout: policy.firstWaitMs,
        maxTimeout: policy.longestWaitMs,
        factor: 2,
        randomize: true,
        ...(signal && { signal }),
        shouldRetry: async ({ error, retriesConsumed }) => {
          const waitMs = waitBeforeRetry(error);
          if (waitMs === null) return false;
          if (waitMs + longestBackoff(policy, retriesConsumed) >= deadline - performance.now()) return false;
          await sleep(waitMs, undefined, { ...(signal && { signal }) });
          return true;
        },
      },
    );
  } catch (thrown) {
    throw signal?.aborted ? calledOff(thrown) : CalendarError.from(thrown);
  }
}

/** What a call ends with that its own caller has aborted. */
export function calledOff(cause: unknown): CalendarError {
  return new CalendarError("the caller left", { code: "CANCELLED", cause });
}

/** How long the service asks to wait, in milliseconds, before a backoff is added; `null` forbids a further try. */
export function waitBeforeRetry(error: Error): number | null {
  if (!(error instanceof CalendarError) || error.code !== "UNAVAILABLE") return null;
  return error.retryAfterMs ?? 0;
}

/** The longest that chance can make the backoff before a further try, in milliseconds. */
export function longestBackoff({ firstWaitMs, longestWaitMs }: RetryPolicy, retriesConsumed: number): number {
  return Math.min(longestWaitMs, 2 * firstWaitMs * 2 ** retriesConsumed);
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

/** Waits before a stream that has broken off so often is opened anew, or until `signal` is aborted. */
export async function pauseAfter(failures: number, signal: AbortSignal): Promise<void> {
  const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1));
  // Half of it by chance, so that all streams of a process, and of others, do not come back in the same instant.
  await sleep(longest * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
}
