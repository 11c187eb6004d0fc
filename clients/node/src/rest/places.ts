/**
 * How many requests of pages are under way at the service: of one organisation, and of all.
 *
 * It keeps nobody waiting: who finds no place is refused, and told when to come back. Its invariant: a place is held for as
 * long as the service is asked, however that ends, and not before the request is whole.
 */
import { Refusal } from "./refusal.js";

/** When who found no place should come back, in milliseconds. */
const COME_BACK_MS = 5_000;

/** The places of one kind of request. */
export class Places {
  readonly #perOrganisation: number;
  readonly #inAll: number;
  readonly #taken = new Map<string, number>();
  #takenInAll = 0;

  constructor(perOrganisation: number, inAll: number) {
    this.#perOrganisation = perOrganisation;
    this.#inAll = inAll;
  }

  /** Asks in a place of the organisation's. Throws `OVERLOADED` where none is free. */
  async hold<T>(organisationId: string, ask: () => Promise<T>): Promise<T> {
    const taken = this.#taken.get(organisationId) ?? 0;
    if (taken >= this.#perOrganisation || this.#takenInAll >= this.#inAll) {
      throw new Refusal("OVERLOADED", [], {}, COME_BACK_MS);
    }
    this.#taken.set(organisationId, taken + 1);
    this.#takenInAll += 1;
    try {
      return await ask();
    } finally {
      this.#giveBack(organisationId);
    }
  }

  #giveBack(organisationId: string): void {
    this.#takenInAll -= 1;
    const taken = (this.#taken.get(organisationId) ?? 1) - 1;
    if (taken > 0) this.#taken.set(organisationId, taken);
    else this.#taken.delete(organisationId);
  }
}
