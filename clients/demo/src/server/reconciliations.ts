/**
 * Keeps the service in step with the demo's RDV: soon after a delivery failed, and every so often in any case.
 *
 * One reconciliation runs at a time. A failure is logged and left to the next run: nothing is lost by waiting.
 */
import { CalendarError, type CalendarClient } from "@cassius/calendar-client";

import { log } from "./log.js";
import { PEOPLE } from "./people.js";
import { snapshotOf, type Rdvs } from "./rdvs.js";

/** What is kept in step, and how often. */
export interface ReconciliationOptions {
  client: CalendarClient;
  rdvs: Rdvs;
  publicUrl: string;
  everyMs: number;
}

const DAY_MS = 24 * 3600 * 1000;
const SOON_MS = 2_000;

/** The running of reconciliations. */
export class Reconciliations {
  readonly #options: ReconciliationOptions;
  #timer: NodeJS.Timeout | undefined;
  #isRunning = false;
  readonly #ended = new AbortController();

  constructor(options: ReconciliationOptions) {
    this.#options = options;
  }

  /** Reconciles now, and from now on. */
  begin(): void {
    this.#runIn(0);
  }

  /** Reconciles soon: a delivery has failed. */
  hurry(): void {
    if (!this.#isRunning) this.#runIn(SOON_MS);
  }

  /** Ends it. */
  end(): void {
    this.#ended.abort();
    clearTimeout(this.#timer);
  }

  #runIn(waitMs: number): void {
    if (this.#ended.signal.aborted) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#run(), waitMs);
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    for (const organisationId of new Set(PEOPLE.map((person) => person.organisationId))) {
      try {
        const sent = await this.#reconcile(organisationId);
        if (sent > 0) log("sent again what the service lacked", { "organisation.id": organisationId, sent });
      } catch (thrown) {
        const { code } = CalendarError.from(thrown);
        if (code !== "CANCELLED") log("could not reconcile", { "organisation.id": organisationId, code });
      }
    }
    this.#isRunning = false;
    this.#runIn(this.#options.everyMs);
  }

  async #reconcile(organisationId: string): Promise<number> {
    const { client, rdvs, publicUrl } = this.#options;
    const now = Date.now();
    const run = client.reconcile({
      organisationId,
      period: { from: new Date(now - 30 * DAY_MS).toISOString(), to: new Date(now + 400 * DAY_MS).toISOString() },
      list: (period) => rdvs.held(organisationId, period),
      load: (ids) => Promise.resolve(rdvs.load(organisationId, ids).map((rdv) => snapshotOf(rdv, publicUrl))),
      signal: this.#ended.signal,
    });
    let sent = 0;
    for await (const { outcome } of run) if (outcome === "sent") sent += 1;
    return sent;
  }
}
