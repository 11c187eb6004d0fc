/**
 * Writes an event of no patient into the calendar of an organisation, and removes it again: the proof that the calendar takes
 * what Cassius writes.
 *
 * It goes the way of every appointment, under one id an organisation, so that what a broken-off test leaves behind is removed
 * by the next. Its invariant: whatever becomes of the writing, the removal is asked for.
 */
import type { CalendarClient } from "../client.js";
import { toWire, type AppointmentSnapshot } from "../appointment.js";
import { SyncStatus } from "../gen/cassius/calendar/v1/appointment_sync_pb.js";
import { linkJson } from "./json.js";
import type { Language } from "./refusal.js";
import type { TestEventAnswer } from "./types.js";

const ID = "cassius-calendar-test-event";
const WORDS: Record<Language, string> = { fr: "Événement de test", en: "Test event" };
const HOUR_MS = 3_600_000;
// Each: the writing and the removal.
const WAIT = { seconds: 8n };
const CALL_MS = 12_000;

/** Writes and removes the event; `now` is the present in milliseconds. */
export async function testEvent(
  client: CalendarClient,
  organisationId: string,
  language: Language,
  now: number,
): Promise<TestEventAnswer> {
  const revision = BigInt(now) * 1000n;
  const startTime = new Date((Math.floor(now / HOUR_MS) + 1) * HOUR_MS);
  const tell = async (snapshot: Pick<AppointmentSnapshot, "revision" | "state">) => {
    const appointment = toWire({
      appointmentId: ID,
      type: WORDS[language],
      startTime,
      endTime: new Date(startTime.getTime() + HOUR_MS / 4),
      timeZone: "UTC",
      ...snapshot,
    });
    const request = { organisationId, appointment, wait: WAIT };
    const { link } = await client.appointments.syncAppointment(request, {
      timeoutMs: CALL_MS,
      headers: { "accept-language": language },
    });
    return link;
  };
  const [written] = await Promise.allSettled([tell({ revision, state: "scheduled" })]);
  const removed = await tell({ revision: revision + 1n, state: "deleted" });
  if (written.status === "rejected") throw written.reason;
  const link = written.value;
  return {
    isWritten: link?.syncStatus === SyncStatus.SYNCED,
    isRemoved: removed?.syncStatus === SyncStatus.SYNCED,
    error: link === undefined ? null : linkJson(link).lastError,
  };
}
