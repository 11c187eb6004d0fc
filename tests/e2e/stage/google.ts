/**
 * Google's side of the stage: what a test reads there, and what it makes happen. It speaks to the emulator's controls,
 * and reads the tokens that the emulator has given out from its state file.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** The sample account that a fresh emulator offers first. */
export const ACCOUNT = "accueil@cabinet-des-lilas.example";
/** Another sample account. */
export const OTHER_ACCOUNT = "dr.monnier@gmail.com";
/** A second calendar of the first account. */
export const ROOMS = "c_5f1c9be0a7d24d0fa5cb0b7c9d3e8a11@group.calendar.google.com";

/** An event that stands. */
export interface GoogleEvent {
  id: string;
  summary: string;
  calendar_id: string;
  status: string;
  start: { dateTime: string; timeZone: string };
}

/** What goes wrong, for which calls, how often. */
export interface Fault {
  operation: string;
  times?: number;
  fault:
    | { kind: "error"; code: number; reason: string; message?: string; retry_after_seconds?: number }
    | { kind: "latency"; ms: number };
}

interface StateFile {
  grants: { by_id: Record<string, { refresh_token: string | null }>; access: Record<string, unknown> };
}

/** The emulated Google. */
export class Google {
  readonly #seen = new Set<string>();

  constructor(
    readonly origin: string,
    private readonly folder: string,
  ) {}

  /** The events of an account that were not deleted, by their summary. */
  async events(account = ACCOUNT): Promise<GoogleEvent[]> {
    const { events } = await this.#ask<{ events: GoogleEvent[] }>(
      "GET",
      `accounts/${encodeURIComponent(account)}/events`,
    );
    return events
      .filter(({ status }) => status !== "cancelled")
      .sort((one, other) => one.summary.localeCompare(other.summary));
  }

  /** The summaries of those events. */
  async titles(account = ACCOUNT): Promise<string[]> {
    return (await this.events(account)).map(({ summary }) => summary);
  }

  /** The names of the calls that changed events or tried to, in their order. */
  async writes(): Promise<string[]> {
    const { calls } = await this.#ask<{ calls: { operation: string }[] }>("GET", "journal");
    const reads = new Set(["events.get", "events.list"]);
    return calls
      .map(({ operation }) => operation)
      .filter((operation) => operation.startsWith("events.") && !reads.has(operation));
  }

  /** How often an operation was called. */
  async count(operation: string): Promise<number> {
    const { calls } = await this.#ask<{ calls: unknown[] }>("GET", `journal?operation=${operation}`);
    return calls.length;
  }

  /** Makes something go wrong from now on. */
  async fault(fault: Fault): Promise<void> {
    await this.#ask("POST", "faults", fault);
  }

  /** Lets everything go well again. */
  async heal(): Promise<void> {
    await this.#ask("DELETE", "faults");
  }

  /** Ends the grants of an account, as the person can at Google, and the life of what they gave. */
  async revoke(account = ACCOUNT): Promise<void> {
    await this.#ask("POST", `accounts/${encodeURIComponent(account)}/revoke`);
  }

  /** Deletes an event, as its user would. */
  async removeEvent({ calendar_id, id }: GoogleEvent): Promise<void> {
    await this.#ask("DELETE", `calendars/${encodeURIComponent(calendar_id)}/events/${id}`);
  }

  /** Deletes a calendar. */
  async removeCalendar(calendarId: string): Promise<void> {
    await this.#ask("DELETE", `calendars/${encodeURIComponent(calendarId)}`);
  }

  /** Remembers the tokens that are alive now; answers how many there have been so far. */
  async noteTokens(): Promise<number> {
    const file = await readFile(join(this.folder, "google.json"), "utf8").catch((error: unknown) => {
      // Until somebody consents there is nothing to keep.
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
      throw error;
    });
    if (file === null) return this.#seen.size;
    const { grants } = JSON.parse(file) as StateFile;
    const refresh = Object.values(grants.by_id).flatMap(({ refresh_token }) => refresh_token ?? []);
    for (const token of [...Object.keys(grants.access), ...refresh]) this.#seen.add(token);
    return this.#seen.size;
  }

  /** Every token that was noted. */
  get tokens(): ReadonlySet<string> {
    return this.#seen;
  }

  async #ask<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    const response = await fetch(`${this.origin}/emulator/${path}`, {
      method,
      ...(body && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Answer;
  }
}
