/**
 * Notices that an organisation was connected, from the statuses that pass by on their way to a browser.
 *
 * It keeps one instant an organisation, of the latest connections alone. Its invariant: a connection is told once, however
 * often its status is read; a process that was started since may tell it once more.
 */
import type { IntegrationStatusJson } from "./types.js";

/** How long after it was made a connection is still news, in milliseconds. */
const NEWS_MS = 15 * 60_000;

/** The connections that were told. */
export class Connections {
  readonly #told = new Map<string, string>();

  /** Whether this status is the first to tell of a connection that was made just now. */
  isNew(organisationId: string, { state, connectTime }: IntegrationStatusJson, now: number): boolean {
    if (state !== "connected" || connectTime === null) return false;
    if (now - Date.parse(connectTime) > NEWS_MS || this.#told.get(organisationId) === connectTime) return false;
    for (const [each, time] of this.#told) if (now - Date.parse(time) > NEWS_MS) this.#told.delete(each);
    this.#told.set(organisationId, connectTime);
    return true;
  }
}
