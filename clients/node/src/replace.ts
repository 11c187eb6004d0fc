/**
 * Has the service take over the whole of an organisation, whatever revisions it holds: after the host was restored from a
 * backup, when its revisions have gone back.
 *
 * It reads the host's list as fast as the service takes it, and holds one appointment in memory. Its invariant: what the
 * list does not name is erased only if it was read to its end.
 */
import type { Client } from "@connectrpc/connect";

import type { AppointmentSync, ReplaceAppointmentsResponse } from "./gen/cassius/calendar/v1/appointment_sync_pb.js";
import { toWire, type AppointmentSnapshot } from "./appointment.js";
import { CalendarError } from "./error.js";
import { checkList, unlessAborted } from "./listing.js";

/** What is taken over. */
export interface Replacement {
  organisationId: string;
  /**
   * Yields every appointment of the organisation whole, each once, as it stands now. What it does not name is erased, at
   * Google too. It holds no database connection while it waits at a `yield`.
   */
  list: (signal: AbortSignal) => AsyncIterable<AppointmentSnapshot> | Iterable<AppointmentSnapshot>;
  /** Breaks it off: nothing is erased then. */
  signal?: AbortSignal;
}

/** Runs one replacement. Throws `CalendarError`, or what `list` threw; it is to be repeated from the beginning then. */
export async function replace(
  sync: Client<typeof AppointmentSync>,
  { organisationId, list, signal: left }: Replacement,
): Promise<ReplaceAppointmentsResponse> {
  const ended = new AbortController();
  const signal = left ? AbortSignal.any([left, ended.signal]) : ended.signal;
  const thrown: { value: unknown }[] = [];
  async function* requests() {
    let appointmentCount = 0;
    try {
      const snapshots = list(signal);
      checkList(snapshots);
      for await (const snapshot of snapshots) {
        const appointment = wire(snapshot);
        appointmentCount += 1;
        yield { organisationId, part: { case: "appointment" as const, value: appointment } };
      }
    } catch (value) {
      thrown.push({ value });
      throw value;
    }
    yield { organisationId, part: { case: "end" as const, value: { appointmentCount } } };
  }
  try {
    return await unlessAborted(sync.replaceAppointments(requests(), { signal }), signal);
  } catch (error) {
    const [first] = thrown;
    throw first === undefined ? error : first.value;
  } finally {
    ended.abort();
  }
}

// A fault ends the whole: it is told with the id.
function wire(snapshot: AppointmentSnapshot) {
  try {
    return toWire(snapshot);
  } catch (thrown) {
    const { message, code, reason, violations } = CalendarError.from(thrown);
    const id = (snapshot as AppointmentSnapshot | null)?.appointmentId;
    throw new CalendarError(`${String(id)}: ${message}`, { code, reason, violations: [...violations] });
  }
}
