/**
 * A backend whose appointments live in PostgreSQL, and how it keeps Google Calendar in step.
 *
 * The table that it is written for:
 *
 *   CREATE TABLE appointments (
 *     organisation_id TEXT NOT NULL,
 *     id              UUID NOT NULL,
 *     -- Raised by the same statement that changes the row, so that it never stands still.
 *     revision        BIGINT NOT NULL DEFAULT 1,
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
 *   CREATE INDEX ON appointments (organisation_id, start_at);
 */
import type { AppointmentSnapshot, CalendarClient, Delivery, Held } from "@cassius/calendar-client";
import type { Pool } from "pg";
import QueryStream from "pg-query-stream";

/** A stretch of time, by the beginning of the appointments in it. */
export interface Period {
  from: Date;
  to: Date;
}

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
    `UPDATE appointments SET start_at = $3, end_at = $4, revision = revision + 1
     WHERE organisation_id = $1 AND id = $2 AND state <> 'deleted' RETURNING ${SNAPSHOT}`,
    [organisationId, id, startAt, endAt],
  );
  const [appointment] = rows;
  if (appointment === undefined) return null;
  // After the commit, never inside the transaction: what is rolled back must not reach Google. It does not throw, and
  // it does not outlast its deadline; what it could not deliver is found by `reconcilePeriod`.
  return await calendar.syncAfterMutation({ organisationId, appointment });
}

/** Sends again what the service lacks of a period. Run it every few minutes, and at the start of the backend. */
export async function reconcilePeriod(
  pool: Pool,
  calendar: CalendarClient,
  organisationId: string,
  period: Period,
): Promise<{ sent: number; rejected: string[] }> {
  const outcome = { sent: 0, rejected: [] as string[] };
  const run = calendar.reconcile({
    organisationId,
    period,
    list: ({ from, to }) => heldOf(pool, organisationId, from, to),
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
    // To be shown to a person: the appointment breaks a rule of the service, and stays out until it is mended.
    if (reconciled.outcome === "rejected") outcome.rejected.push(reconciled.appointmentId);
  }
  return outcome;
}

// Rows are read through a cursor as fast as the service takes them: a year of a large practice fits in no memory worth
// spending on it.
async function* heldOf(pool: Pool, organisationId: string, from: Date, to: Date): AsyncGenerator<Held> {
  const connection = await pool.connect();
  try {
    const rows = connection.query(
      new QueryStream(
        `SELECT id AS "appointmentId", revision FROM appointments
         WHERE organisation_id = $1 AND start_at >= $2 AND start_at < $3`,
        [organisationId, from, to],
        { batchSize: 500 },
      ),
    );
    for await (const row of rows) yield row as Held;
  } finally {
    connection.release();
  }
}
