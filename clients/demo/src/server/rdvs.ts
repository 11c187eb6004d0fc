/**
 * The RDV of the practices: what the real Cassius has in its own tables.
 *
 * Every mutation raises the revision of its row in the same statement, and a deletion leaves a row behind, so that
 * reconciliation can tell the service of it. It never calls the service.
 */
import { randomUUID } from "node:crypto";

import type { AppointmentSnapshot, Held } from "@cassius/calendar-client";

import type { RdvFields, RdvJson, RdvState } from "../shared/agenda.js";
import type { Database } from "./database.js";
import { TIME_ZONE } from "./people.js";

/** A RDV as its row holds it. */
export interface Rdv extends RdvFields {
  id: string;
  organisationId: string;
  revision: number;
  state: RdvState | "deleted";
}

/** A stretch of time, by the beginning of the RDV in it. ISO 8601 in UTC. */
export interface Period {
  from: string;
  to: string;
}

const COLUMNS = `organisation_id AS organisationId, id, revision, state, type, patient_name AS patientName,
  practitioner_name AS practitionerName, location, start_at AS startTime, end_at AS endTime`;

// The instant of the mutation in microseconds, and always more than before, whatever the clock does.
const NEXT_REVISION = "MAX(revision + 1, CAST(unixepoch('subsec') * 1000000 AS INTEGER))";

const PAGE_ROWS = 500;

/** The table of RDV. */
export class Rdvs {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Answers the RDV of a period that the calendar shows. */
  shown(organisationId: string, { from, to }: Period): Rdv[] {
    return this.#all(
      `SELECT ${COLUMNS} FROM rdvs
       WHERE organisation_id = ? AND start_at >= ? AND start_at < ? AND state <> 'deleted' ORDER BY start_at`,
      [organisationId, from, to],
    );
  }

  /** Adds a RDV. */
  create(organisationId: string, fields: RdvFields): Rdv {
    const id = randomUUID();
    this.#database.run(
      `INSERT INTO rdvs (organisation_id, id, revision, state, type, patient_name, practitioner_name, location,
         start_at, end_at)
       VALUES (?, ?, CAST(unixepoch('subsec') * 1000000 AS INTEGER), 'scheduled', ?, ?, ?, ?, ?, ?)`,
      [organisationId, id, ...values(fields)],
    );
    return this.#existing(organisationId, id);
  }

  /** Changes what a RDV says; `null` if there is none. */
  edit(organisationId: string, id: string, fields: RdvFields): Rdv | null {
    const { changes } = this.#database.run(
      `UPDATE rdvs SET type = ?, patient_name = ?, practitioner_name = ?, location = ?, start_at = ?, end_at = ?,
         revision = ${NEXT_REVISION}
       WHERE organisation_id = ? AND id = ? AND state <> 'deleted'`,
      [...values(fields), organisationId, id],
    );
    return changes === 0 ? null : this.#existing(organisationId, id);
  }

  /** Cancels, revives or deletes a RDV; `null` if there is none. */
  turn(organisationId: string, id: string, state: Rdv["state"]): Rdv | null {
    const { changes } = this.#database.run(
      `UPDATE rdvs SET state = ?, revision = ${NEXT_REVISION}
       WHERE organisation_id = ? AND id = ? AND state <> 'deleted'`,
      [state, organisationId, id],
    );
    return changes === 0 ? null : this.#existing(organisationId, id);
  }

  /**
   * Lists every RDV that changed since an instant in milliseconds, deleted ones included, by id and revision, and page by
   * page. The revision says when a RDV changed; where it lies in time does not matter.
   */
  *changed(organisationId: string, since: number): Generator<Held> {
    let [revision, id] = [since * 1000, ""];
    for (;;) {
      const page = this.#all(
        `SELECT ${COLUMNS} FROM rdvs WHERE organisation_id = ? AND (revision, id) > (?, ?) ORDER BY revision, id LIMIT ?`,
        [organisationId, revision, id, PAGE_ROWS],
      );
      for (const rdv of page) yield { appointmentId: rdv.id, revision: rdv.revision };
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE_ROWS) return;
      [revision, id] = [last.revision, last.id];
    }
  }

  /** Reads some RDV whole, deleted ones included. */
  load(organisationId: string, ids: string[]): Rdv[] {
    const marks = ids.map(() => "?").join(", ");
    return this.#all(`SELECT ${COLUMNS} FROM rdvs WHERE organisation_id = ? AND id IN (${marks})`, [
      organisationId,
      ...ids,
    ]);
  }

  #existing(organisationId: string, id: string): Rdv {
    const [rdv] = this.load(organisationId, [id]);
    if (rdv === undefined) throw new Error("a RDV that was just written is gone");
    return rdv;
  }

  #all(sql: string, bound: (string | number)[]): Rdv[] {
    return this.#database.all(sql, bound) as unknown as Rdv[];
  }
}

function values(fields: RdvFields): string[] {
  const { type, patientName, practitionerName, location, startTime, endTime } = fields;
  return [type, patientName, practitionerName, location, startTime, endTime];
}

/** What the calendar service is told of a RDV. */
export function snapshotOf(rdv: Rdv, publicUrl: string): AppointmentSnapshot {
  return {
    appointmentId: rdv.id,
    revision: rdv.revision,
    state: rdv.state,
    type: rdv.type,
    patientName: rdv.patientName,
    practitionerName: rdv.practitionerName,
    location: rdv.location,
    startTime: new Date(rdv.startTime),
    endTime: new Date(rdv.endTime),
    timeZone: TIME_ZONE,
    url: new URL(`/calendar?rdv=${encodeURIComponent(rdv.id)}`, publicUrl).href,
  };
}

/** What the browser is told of a RDV that was not deleted. */
export function rdvJson(rdv: Rdv): RdvJson {
  const { id, type, patientName, practitionerName, location, startTime, endTime } = rdv;
  const state = rdv.state === "cancelled" ? "cancelled" : "scheduled";
  return { id, state, type, patientName, practitionerName, location, startTime, endTime };
}
