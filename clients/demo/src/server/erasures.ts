/**
 * The practices whose data was erased at the calendar service. Nothing of them is sent until they are connected anew: the
 * service would take it for new, and keep it.
 */
import type { Database } from "./database.js";

/** Those practices. */
export class Erasures {
  readonly #database: Database;
  /** Those that one request alone has marked: it may take the mark back. */
  readonly #marked = new Set<string>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** Whether nothing of a practice is to be sent. */
  has(organisationId: string): boolean {
    return this.#database.get("SELECT 1 FROM erasures WHERE organisation_id = ?", organisationId) !== null;
  }

  /** Sends nothing of a practice from now on. */
  add(organisationId: string): void {
    if (this.has(organisationId)) return void this.#marked.delete(organisationId);
    this.#database.run("INSERT INTO erasures (organisation_id) VALUES (?)", [organisationId]);
    this.#marked.add(organisationId);
  }

  /** Sends what a practice has again, where the erasure did not begin; where one had been asked for before, it stays. */
  undo(organisationId: string): void {
    if (this.#marked.has(organisationId)) this.end(organisationId);
  }

  /** Sends what a practice has again. */
  end(organisationId: string): void {
    this.#marked.delete(organisationId);
    this.#database.run("DELETE FROM erasures WHERE organisation_id = ?", [organisationId]);
  }
}
