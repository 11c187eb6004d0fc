/**
 * When a RDV begins and ends while somebody writes it: wall clocks of the practice's zone, as the fields hold them, with
 * dates that are half written or beyond any calendar among them. Only what is whole becomes instants; nothing throws.
 */
import { Temporal } from "temporal-polyfill";

/** The two fields, and the length that the RDV keeps when its start is moved. */
export interface Span {
  start: string;
  end: string;
  length: Temporal.Duration;
}

/** ISO 8601, in UTC. */
export interface Times {
  startTime: string;
  endTime: string;
}

/** The last minute of the last year of four digits: more digits are no date of a RDV. */
export const LATEST = "9999-12-31T23:59";

/** What the fields begin with. */
export function spanOf({ startTime, endTime }: Times, timeZone: string): Span {
  const [start, end] = [wallClock(startTime, timeZone), wallClock(endTime, timeZone)];
  return { start: write(start), end: write(end), length: start.until(end) };
}

/** The start was written: the end follows it. */
export function withStart(span: Span, start: string): Span {
  const from = read(start);
  return { ...span, start, end: from ? write(from.add(span.length)) : span.end };
}

/** The end was written. */
export function withEnd(span: Span, end: string): Span {
  const [from, to] = [read(span.start), read(end)];
  const isForward = from !== null && to !== null && Temporal.PlainDateTime.compare(from, to) < 0;
  return { ...span, end, length: isForward ? from.until(to) : span.length };
}

/** The instants of what was written; `null` while it is not whole. */
export function timesOf({ start, end }: Span, timeZone: string): Times | null {
  const [from, to] = [read(start), read(end)];
  return from && to && { startTime: instant(from, timeZone), endTime: instant(to, timeZone) };
}

// A field is empty until all of it is written, and its year may have up to six digits.
function read(wall: string): Temporal.PlainDateTime | null {
  return /^\d{4}-/.test(wall) ? Temporal.PlainDateTime.from(wall) : null;
}

function write(wall: Temporal.PlainDateTime): string {
  return wall.toString({ smallestUnit: "minute" });
}

function wallClock(iso: string, timeZone: string): Temporal.PlainDateTime {
  return Temporal.Instant.from(iso).toZonedDateTimeISO(timeZone).toPlainDateTime();
}

function instant(wall: Temporal.PlainDateTime, timeZone: string): string {
  return new Date(wall.toZonedDateTime(timeZone).epochMilliseconds).toISOString();
}
