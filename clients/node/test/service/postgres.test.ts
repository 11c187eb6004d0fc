import { randomUUID } from "node:crypto";

import { CalendarClient } from "@cassius/calendar-client";
import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";

import { moveAppointment, reconcileChanges } from "../../examples/postgres.js";
import { CALENDAR_ADDRESS, newOrganisation } from "./service.js";

const url = process.env["TEST_POSTGRES_URL"];
if (!url) throw new Error("TEST_POSTGRES_URL is not set: this test needs a PostgreSQL");

const schema = `example_${randomUUID().replaceAll("-", "")}`;
const pool = new pg.Pool({ connectionString: url, options: `-c search_path=${schema}`, max: 3 });
// As a host has it: the package, not its source.
const client = new CalendarClient({ address: CALENDAR_ADDRESS });

beforeAll(async () => {
  await pool.query(`CREATE SCHEMA ${schema}`);
  await pool.query(`
    CREATE TABLE appointments (
      organisation_id TEXT NOT NULL, id UUID NOT NULL, revision BIGINT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('scheduled', 'cancelled', 'deleted')),
      type TEXT NOT NULL, patient_name TEXT NOT NULL, practitioner_name TEXT NOT NULL, location TEXT NOT NULL,
      start_at TIMESTAMPTZ NOT NULL, end_at TIMESTAMPTZ NOT NULL,
      PRIMARY KEY (organisation_id, id))`);
});
afterAll(async () => {
  await pool.query(`DROP SCHEMA ${schema} CASCADE`);
  await pool.end();
  client.close();
});

const day = (days: number) => new Date(Math.floor(Date.now() / 3_600_000 + 24 * days) * 3_600_000);

/** Appointments of the third day from now, one in ten of them deleted, that changed an hour ago. */
async function fill(organisationId: string, count: number): Promise<void> {
  await pool.query(
    `INSERT INTO appointments SELECT $1, gen_random_uuid(), (extract(epoch FROM now()) * 1000000)::bigint - 3600000000,
       CASE WHEN n % 10 = 0 THEN 'deleted' ELSE 'scheduled' END,
       'Contrôle', 'Paul Petit', 'Dr Camille Roche', 'Salle 1', $2::timestamptz, $2::timestamptz + interval '30 minutes'
     FROM generate_series(1, $3::int) AS n`,
    [organisationId, day(3), count],
  );
}

it("the example of a backend on PostgreSQL works as it stands", async () => {
  const organisationId = newOrganisation();
  await fill(organisationId, 1_200);
  const first = await reconcileChanges(pool, client, organisationId, day(-1));
  expect(first).toMatchObject({ sent: 1_200, rejected: [] });
  expect(await reconcileChanges(pool, client, organisationId, day(-1))).toMatchObject({ sent: 0, rejected: [] });

  const { rows } = await pool.query<{ id: string }>(
    `SELECT id FROM appointments WHERE organisation_id = $1 AND state = 'scheduled' LIMIT 1`,
    [organisationId],
  );
  const id = rows[0]?.id ?? "";
  expect(await moveAppointment(pool, client, organisationId, id, day(5), day(6))).toMatchObject({ delivered: true });
  expect(await moveAppointment(pool, client, organisationId, randomUUID(), day(5), day(6))).toBeNull();

  // A move far back whose call was lost is found by the run that begins where the first one said.
  const closed = new CalendarClient({ address: CALENDAR_ADDRESS });
  closed.close();
  const lost = await moveAppointment(pool, closed, organisationId, id, day(-40), day(-39));
  expect(lost).toMatchObject({ delivered: false });
  expect(await reconcileChanges(pool, client, organisationId, first.nextSince)).toMatchObject({ sent: 1 });
  const { link } = await client.appointments.getAppointmentLink({ organisationId, appointmentId: id });
  expect(link?.startTime?.seconds).toBe(BigInt(day(-40).getTime() / 1000));
  expect(pool.idleCount).toBe(pool.totalCount);
});

it("reconciliations share a small pool, and none stands still", async () => {
  const organisations = Array.from({ length: 3 }, newOrganisation);
  for (const organisationId of organisations) await fill(organisationId, 2_000);
  const runs = organisations.map((organisationId) => reconcileChanges(pool, client, organisationId, day(-1)));
  expect((await Promise.all(runs)).map(({ sent }) => sent)).toEqual([2_000, 2_000, 2_000]);
}, 60_000);
