/**
 * The demo's own database: SQLite in a file, run as WebAssembly so that an installation needs no compiler.
 *
 * It stands for the PostgreSQL of the real Cassius, and knows nothing of calendars or of Google.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";

import sqlite from "node-sqlite3-wasm";

/** An open database. */
export type Database = InstanceType<typeof sqlite.Database>;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS sessions (
    token TEXT PRIMARY KEY,
    person_id TEXT NOT NULL
  );
  CREATE TABLE IF NOT EXISTS erasures (
    organisation_id TEXT PRIMARY KEY
  );
  CREATE TABLE IF NOT EXISTS rdvs (
    organisation_id TEXT NOT NULL,
    id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('scheduled', 'cancelled', 'deleted')),
    type TEXT NOT NULL,
    patient_name TEXT NOT NULL,
    practitioner_name TEXT NOT NULL,
    location TEXT NOT NULL,
    start_at TEXT NOT NULL,
    end_at TEXT NOT NULL,
    PRIMARY KEY (organisation_id, id)
  );
  CREATE INDEX IF NOT EXISTS rdvs_by_start ON rdvs (organisation_id, start_at);
  CREATE INDEX IF NOT EXISTS rdvs_by_change ON rdvs (organisation_id, revision, id);
`;

/** Opens the database in a folder, and makes both if there are none. */
export function openDatabase(folder: string): Database {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "cassius-demo.db");
  // The lock is a folder, which a process that was killed leaves behind. The demo is the only one who opens this file.
  rmSync(`${file}.lock`, { recursive: true, force: true });
  const database = new sqlite.Database(file);
  database.exec(SCHEMA);
  return database;
}
