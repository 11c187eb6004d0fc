/**
 * A backend whose appointments live in PostgreSQL, and how it keeps Google Calendar in step.
 *
 * The table that it is written for:
 *
 *   CREATE TABLE appointments (
 *     organisation_id TEXT NOT NULL,
 *     id              UUID NOT NULL,
 *     -- When the row last changed, in microseconds, set by the same statement that changes it. A counter would do until a
 *     -- backup is restored: then it counts again from where it was, and the service holds what it sends for old.
 *     revision        BIGINT NOT NULL,
 *     -- A deletion sets 'deleted' and keeps the row, so that a lost call is found again by reconciliation.
 *     state           TEXT NOT NULL CHECK (state IN ('scheduled', 'cancelled', 'deleted')),
 *     type            TEXT NOT NULL,
 *     patient_name    TEXT NOT NULL,
 *     practitioner_name TEXT NOT NULL,
 *     location        TEXT NOT NULL,
 *     start_at        TIMESTAMPTZ NOT NULL,
 *     end_at          TIMESTAMPTZ NOT NULL,
 *     PRIMARY KEY (organisation_id, id)
 *   );
 *   CREATE INDEX ON appointments (organisation_id, revision, id);
 */
import type { AppointmentSnapshot, CalendarClient, Delivery, Held } from "@cassius/calendar-client";
import type { Pool } from "pg";

// Always above the last one, whatever the clock does.
const NEXT_REVISION = "greatest(revision + 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)";
const SNAPSHOT = `id AS "appointmentId", revision, state, type, patient_name AS "patientName",
  practitioner_name AS "practitionerName", location, start_at AS "startTime", end_at AS "endTime",
  'Europe/Paris' AS "timeZone"`;

/** Moves an appointment: one statement changes the row and its revision, then the service is told. */
export async function moveAppointment(
  pool: Pool,
  calendar: CalendarClient,
  organisationId: string,
  id: string,
  startAt: Date,
  endAt: Date,
): Promise<Delivery | null> {
  const { rows } = await pool.query<AppointmentSnapshot>(
    `UPDATE appointments SET start_at = $3, end_at = $4, revision = ${NEXT_REVISION}
     WHERE organisation_id = $1 AND id = $2 AND state <> 'deleted' RETURNING ${SNAPSHOT}`,
    [organisationId, id, startAt, endAt],
  );
  const [appointment] = rows;
  if (appointment === undefined) return null;
  // After the commit, never inside the transaction: what is rolled back must not reach Google. It does not throw, and
  // it does not outlast its deadline; what it could not deliver is found by `reconcileChanges`.
  return await calendar.syncAfterMutation({ organisationId, appointment });
}

/** What became of a reconciliation. */
export interface Outcome {
  sent: number;
  /** To be shown to a person: these break a rule of the service, and stay out until they are mended. */
  rejected: string[];
  /** Where the next run begins. */
  nextSince: Date;
}

// Longer than any transaction lasts: its rows carry the time of the change, and are seen from the commit on.
const OVERLAP_MS = 10 * 60_000;

/**
 * Sends again what changed since the last good run, wherever in time the appointments lie: one that was moved out of a
 * listed period would never be found in it again. Run it at the start of the backend and every few minutes with the
 * `nextSince` of the last run that did not throw, which the backend keeps; and every night with some weeks ago, against
 * what nobody thinks of.
 */
export async function reconcileChanges(
  pool: Pool,
  calendar: CalendarClient,
  organisationId: string,
  since: Date,
): Promise<Outcome> {
  const outcome: Outcome = { sent: 0, rejected: [], nextSince: new Date(Date.now() - OVERLAP_MS) };
  const run = calendar.reconcile({
    organisationId,
    period: since,
    list: (changedSince) => changes(pool, organisationId, changedSince),
    load: async (ids) => {
      const { rows } = await pool.query<AppointmentSnapshot>(
        `SELECT ${SNAPSHOT} FROM appointments WHERE organisation_id = $1 AND id = ANY ($2::uuid[])`,
        [organisationId, ids],
      );
      return rows;
    },
  });
  for await (const reconciled of run) {
    if (reconciled.outcome === "sent") outcome.sent += 1;
    if (reconciled.outcome === "rejected") outcome.rejected.push(reconciled.appointmentId);
  }
  return outcome;
}

const PAGE_ROWS = 500;

// Page by page, each from where the last one ended. A cursor would hold its connection while the service compares, and
// `load` asks the same pool: a few reconciliations at once would wait for each other for ever.
async function* changes(pool: Pool, organisationId: string, since: Date): AsyncGenerator<Held> {
  let after: Held = { revision: String(since.getTime() * 1000), appointmentId: "00000000-0000-0000-0000-000000000000" };
  for (;;) {
    const { rows } = await pool.query<Held>(
      `SELECT id AS "appointmentId", revision FROM appointments
       WHERE organisation_id = $1 AND (revision, id) > ($2, $3) ORDER BY revision, id LIMIT $4`,
      [organisationId, after.revision, after.appointmentId, PAGE_ROWS],
    );
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE_ROWS) return;
    after = last;
  }
}
