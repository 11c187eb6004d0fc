/**
 * Writes an event of no patient into the calendar of an organisation, and removes it again: the proof that the calendar
 * takes what Cassius writes.
 *
 * It goes the way of every appointment, under one id an organisation, so that what a broken-off test leaves behind is erased
 * by the next. Its invariant: whatever becomes of the writing, the erasure is asked for, and nothing is left to be counted.
 */
import type { Calls } from "../client.js";
import { toWire } from "../appointment.js";
import { SyncStatus } from "../gen/cassius/calendar/v1/appointment_sync_pb.js";
import { linkJson } from "./json.js";
import type { Language } from "./refusal.js";
import type { TestEventAnswer } from "./types.js";

const ID = "cassius-calendar-test-event";
const WORDS: Record<Language, string> = { fr: "Événement de test", en: "Test event" };
const HOUR_MS = 3_600_000;
const WAIT = { seconds: 8n };
const CALL_MS = 12_000;

/** Writes and removes the event; `now` is the present in milliseconds. */
export async function testEvent(
  client: Calls,
  organisationId: string,
  { language, headers }: { language: Language; headers: Record<string, string> },
  now: number,
): Promise<TestEventAnswer> {
  const startTime = new Date((Math.floor(now / HOUR_MS) + 1) * HOUR_MS);
  const appointment = toWire({
    appointmentId: ID,
    revision: BigInt(now) * 1000n,
    state: "scheduled",
    type: WORDS[language],
    startTime,
    endTime: new Date(startTime.getTime() + HOUR_MS / 4),
    timeZone: "UTC",
  });
  const options = { timeoutMs: CALL_MS, headers };
  const [written] = await Promise.allSettled([
    client.appointments.syncAppointment({ organisationId, appointment, wait: WAIT }, options),
  ]);
  const { isDone } = await client.appointments.eraseAppointments({ organisationId, appointmentIds: [ID] }, options);
  if (written.status === "rejected") throw written.reason;
  const { link } = written.value;
  return {
    isWritten: link?.syncStatus === SyncStatus.SYNCED,
    isRemoved: isDone,
    error: link === undefined ? null : linkJson(link).lastError,
  };
}
