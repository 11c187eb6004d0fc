/** Durations as timers take them. */

// Longer ones make a timer of Node fire at once.
const LONGEST_MS = 2 ** 31 - 1;

/** A duration that a timer can hold: `wanted` within 1 and about 24 days, or `otherwise` where it is no number. */
export function milliseconds(wanted: number | undefined, otherwise: number): number {
  const chosen = wanted === undefined || Number.isNaN(wanted) ? otherwise : wanted;
  return Math.min(Math.max(Math.ceil(chosen), 1), LONGEST_MS);
}
