import { randomUUID } from "node:crypto";

import { CalendarClient } from "@cassius/calendar-client";
import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";

import { moveAppointment, reconcilePeriod } from "../../examples/postgres.js";
import { CALENDAR_ADDRESS, newOrganisation } from "./service.js";

const url = process.env["TEST_POSTGRES_URL"];
if (!url) throw new Error("TEST_POSTGRES_URL is not set: this test needs a PostgreSQL");

const schema = `example_${randomUUID().replaceAll("-", "")}`;
const pool = new pg.Pool({ connectionString: url, options: `-c search_path=${schema}` });
// As a host has it: the package, not its source.
const client = new CalendarClient({ address: CALENDAR_ADDRESS });

beforeAll(async () => {
  await pool.query(`CREATE SCHEMA ${schema}`);
  await pool.query(`
    CREATE TABLE appointments (
      organisation_id TEXT NOT NULL, id UUID NOT NULL, revision BIGINT NOT NULL DEFAULT 1,
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

it("the example of a backend on PostgreSQL works as it stands", async () => {
  const organisationId = newOrganisation();
  const day = (days: number) => new Date(Math.floor(Date.now() / 3_600_000 + 24 * days) * 3_600_000);
  const period = { from: day(0), to: day(30) };
  await pool.query(
    `INSERT INTO appointments SELECT $1, gen_random_uuid(), 1, CASE WHEN n % 10 = 0 THEN 'deleted' ELSE 'scheduled' END,
       'Contrôle', 'Paul Petit', 'Dr Camille Roche', 'Salle 1', $2::timestamptz, $2::timestamptz + interval '30 minutes'
     FROM generate_series(1, 1200) AS n`,
    [organisationId, day(3)],
  );
  expect(await reconcilePeriod(pool, client, organisationId, period)).toEqual({ sent: 1_200, rejected: [] });
  expect(await reconcilePeriod(pool, client, organisationId, period)).toEqual({ sent: 0, rejected: [] });

  const { rows } = await pool.query<{ id: string }>(
    `SELECT id FROM appointments WHERE organisation_id = $1 AND state = 'scheduled' LIMIT 1`,
    [organisationId],
  );
  const id = rows[0]?.id ?? "";
  expect(await moveAppointment(pool, client, organisationId, id, day(5), day(6))).toMatchObject({
    delivered: true,
    link: { revision: 2n },
  });
  expect(await moveAppointment(pool, client, organisationId, randomUUID(), day(5), day(6))).toBeNull();
  expect(pool.idleCount).toBe(pool.totalCount);
});
