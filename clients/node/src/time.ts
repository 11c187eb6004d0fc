/**
 * Durations as timers take them, and deadlines that are fair to a busy process.
 */

// Longer ones make a timer of Node fire at once.
const LONGEST_MS = 2 ** 31 - 1;

/** A duration that a timer can hold: `wanted` within 1 and about 24 days, or `otherwise` where it is no number. */
export function milliseconds(wanted: number | undefined, otherwise: number): number {
  const chosen = wanted === undefined || Number.isNaN(wanted) ? otherwise : wanted;
  return Math.min(Math.max(Math.ceil(chosen), 1), LONGEST_MS);
}

// A timer that is later than this has waited for the event loop, and so have the answers that arrived.
const BLOCKED_MS = 10;
const READING_MS = 50;

/**
 * Calls `expired` once `ms` have passed. While the event loop was blocked nothing was read: then what arrived in the
 * meantime is read first. Answers how to call it off.
 */
export function afterDeadline(ms: number, expired: () => void): () => void {
  const due = performance.now() + ms;
  let timer = setTimeout(() => {
    const isBlocked = performance.now() - due > BLOCKED_MS;
    if (isBlocked) timer = setTimeout(expired, READING_MS);
    else expired();
  }, ms);
  return () => clearTimeout(timer);
}
