/**
 * Keeps the service in step with the demo's RDV: soon after a delivery failed, and every so often in any case.
 *
 * One reconciliation runs at a time. A failure is logged and left to the next run: nothing is lost by waiting.
 */
import { CalendarError, type CalendarClient } from "@cassius/calendar-client";

import type { Erasures } from "./erasures.js";
import { log } from "./log.js";
import { PEOPLE } from "./people.js";
import { snapshotOf, type Rdvs } from "./rdvs.js";

/** What is kept in step, and how often. */
export interface ReconciliationOptions {
  client: CalendarClient;
  rdvs: Rdvs;
  erasures: Pick<Erasures, "has">;
  publicUrl: string;
  everyMs: number;
}

const SOON_MS = 2_000;
// No write of the demo takes as long.
const OVERLAP_MS = 60_000;
const NIGHTLY_MS = 24 * 3600 * 1000;

/** The running of reconciliations. */
export class Reconciliations {
  readonly #options: ReconciliationOptions;
  /** Since when a practice's changes are to be looked at; absent: everything, at the start and once a day. */
  readonly #since = new Map<string, number>();
  #forgetAt = Date.now() + NIGHTLY_MS;
  #timer: NodeJS.Timeout | undefined;
  #dueAt = Infinity;
  #isRunning = false;
  #underWay: { organisationId: string; left: AbortController; over: Promise<unknown> } | undefined;
  readonly #ended = new AbortController();

  constructor(options: ReconciliationOptions) {
    this.#options = options;
  }

  /** Reconciles now, and from now on. */
  begin(): void {
    this.#runBy(Date.now());
  }

  /** Reconciles soon: a delivery has failed. It only brings the next run forward, however often it is asked for. */
  hurry(): void {
    this.#runBy(Date.now() + SOON_MS);
  }

  /** Reconciles soon, and all of one practice: it was connected anew, and the service may have forgotten what it had. */
  restart(organisationId: string): void {
    this.#since.delete(organisationId);
    this.hurry();
  }

  /** Leaves a practice whose data is about to be erased; fulfils once nothing more of it is sent. */
  async leave(organisationId: string): Promise<void> {
    if (this.#underWay?.organisationId !== organisationId) return;
    this.#underWay.left.abort();
    await this.#underWay.over;
  }

  /** Ends it. */
  end(): void {
    this.#ended.abort();
    clearTimeout(this.#timer);
  }

  #runBy(dueAt: number): void {
    if (this.#ended.signal.aborted || dueAt >= this.#dueAt) return;
    this.#dueAt = dueAt;
    // The run that is under way may have passed by what this is about: the next one is due after it.
    if (this.#isRunning) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#run(), Math.max(dueAt - Date.now(), 0));
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    this.#dueAt = Infinity;
    if (Date.now() >= this.#forgetAt) {
      this.#since.clear();
      this.#forgetAt = Date.now() + NIGHTLY_MS;
    }
    for (const organisationId of new Set(PEOPLE.map((person) => person.organisationId))) {
      if (this.#options.erasures.has(organisationId)) continue;
      const period = this.#since.get(organisationId) ?? 0;
      // Set before the run, so that what `restart` says meanwhile stands.
      this.#since.set(organisationId, Date.now() - OVERLAP_MS);
      const left = new AbortController();
      const reconciling = this.#reconcile(organisationId, period, AbortSignal.any([this.#ended.signal, left.signal]));
      this.#underWay = { organisationId, left, over: reconciling.catch(() => undefined) };
      try {
        const sent = await reconciling;
        if (sent > 0) log("sent again what the service lacked", { "organisation.id": organisationId, sent });
      } catch (thrown) {
        if (this.#since.has(organisationId)) this.#since.set(organisationId, period);
        const { code } = CalendarError.from(thrown);
        if (code !== "CANCELLED") log("could not reconcile", { "organisation.id": organisationId, code });
      }
    }
    this.#underWay = undefined;
    this.#isRunning = false;
    const dueAt = Math.min(this.#dueAt, Date.now() + this.#options.everyMs);
    this.#dueAt = Infinity;
    this.#runBy(dueAt);
  }

  async #reconcile(organisationId: string, period: number, signal: AbortSignal): Promise<number> {
    const { client, rdvs, publicUrl } = this.#options;
    const run = client.reconcile({
      organisationId,
      period,
      list: (since) => rdvs.changed(organisationId, since),
      load: (ids) => Promise.resolve(rdvs.load(organisationId, ids).map((rdv) => snapshotOf(rdv, publicUrl))),
      signal,
    });
    let sent = 0;
    let heldHigher = 0;
    for await (const { outcome } of run) {
      if (outcome === "sent") sent += 1;
      if (outcome === "held_higher") heldHigher += 1;
    }
    // Many of them mean that this database was restored from a backup.
    if (heldHigher > 0) log("the service holds newer ones", { "organisation.id": organisationId, count: heldHigher });
    return sent;
  }
}
