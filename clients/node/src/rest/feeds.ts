/**
 * How integrations stand, for all the pages that look: one `WatchStatus` an organisation and language, however many pages.
 *
 * It keeps the latest word of each and no history: a page that is slow gets several changes as one. Its invariant: the
 * stream to the service is open while a page looks, and closed once the last one has left.
 */
import type { CalendarClient } from "../client.js";
import { CalendarError } from "../error.js";
import { pauseAfter } from "../retry.js";
import { statusJson } from "./json.js";
import { toErrorResponse, type Language } from "./refusal.js";
import type { IntegrationStatusJson, StatusEvents } from "./types.js";

/** What the feeds are made from. */
export interface FeedOptions {
  client: CalendarClient;
  /** How many pages of one organisation are served at once. */
  pagesPerOrganisation: number;
  /** How many streams to the service are held at once. */
  watches: number;
  /** Is told of each status that arrives. */
  onStatus?: (organisationId: string, status: IntegrationStatusJson) => void;
}

/** The word of the service that it can hold no further stream, for the browser: to come back after so long, and poll. */
export const COME_BACK_MS = 30_000;

/** How long a stream that broke off may take to be back before its pages are told, in milliseconds. */
const GRACE_MS = 3_000;

/** Every stream of status that is open. */
export class Feeds {
  readonly #options: FeedOptions;
  readonly #feeds = new Map<string, Feed>();
  readonly #pages = new Map<string, number>();

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  /** Has a page follow its organisation; `null`: there is no room for it. The page has to leave. */
  join(organisationId: string, language: Language): Page | null {
    const pages = this.#pages.get(organisationId) ?? 0;
    if (pages >= this.#options.pagesPerOrganisation) return null;
    const key = `${language} ${organisationId}`;
    const known = this.#feeds.get(key);
    if (known === undefined && this.#feeds.size >= this.#options.watches) return null;
    const feed = known ?? new Feed(this.#options, organisationId, language, () => this.#forget(key, feed));
    this.#feeds.set(key, feed);
    this.#pages.set(organisationId, pages + 1);
    return new Page(feed, () => this.#left(organisationId));
  }

  #forget(key: string, feed: Feed): void {
    if (this.#feeds.get(key) === feed) this.#feeds.delete(key);
  }

  #left(organisationId: string): void {
    const pages = (this.#pages.get(organisationId) ?? 1) - 1;
    if (pages > 0) this.#pages.set(organisationId, pages);
    else this.#pages.delete(organisationId);
  }
}

/** A page that follows a feed. */
export class Page {
  #seen = 0;
  #hasLeft = false;

  constructor(
    private readonly feed: Feed,
    private readonly onLeft: () => void,
  ) {
    feed.pages += 1;
  }

  /** Whether nothing more follows what can be taken now. */
  get isOver(): boolean {
    return this.feed.isOver;
  }

  /** The latest server-sent event, unless this page has had it. */
  take(): string | null {
    const { latest, version } = this.feed;
    if (this.#seen === version) return null;
    this.#seen = version;
    return latest;
  }

  /** Waits for something to take; answers `false` when `ms` have passed without, or `signal` was aborted. */
  news(ms: number, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (isNews: boolean) => {
        clearTimeout(timer);
        this.feed.listeners.delete(heard);
        signal.removeEventListener("abort", left);
        resolve(isNews);
      };
      const heard = () => settle(true);
      const left = () => settle(false);
      const timer = setTimeout(left, ms);
      this.feed.listeners.add(heard);
      signal.addEventListener("abort", left);
      if (signal.aborted) left();
    });
  }

  /** Ends it; the last page of a feed closes it. */
  leave(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.feed.pages -= 1;
    this.onLeft();
    if (this.feed.pages === 0) this.feed.close();
  }
}

/** One stream to the service. */
class Feed {
  pages = 0;
  latest: string | null = null;
  version = 0;
  isOver = false;
  readonly listeners = new Set<() => void>();
  readonly #closed = new AbortController();

  constructor(
    private readonly options: FeedOptions,
    private readonly organisationId: string,
    private readonly language: Language,
    private readonly onOver: () => void,
  ) {
    void this.#run(this.#closed.signal).finally(() => this.close());
  }

  close(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#closed.abort();
    this.onOver();
    this.#wake();
  }

  #publish(event: string): void {
    this.latest = event;
    this.version += 1;
    this.#wake();
  }

  #wake(): void {
    for (const listener of [...this.listeners]) listener();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { client, onStatus } = this.options;
    const { organisationId, language } = this;
    const headers = { "accept-language": language };
    let failures = 0;
    // A stream that worked and breaks off is opened again before anything is said: a restart behind a balancer, or of a
    // service that is back within the first wait, is none of the practice's business.
    let worked = false;
    let grace: NodeJS.Timeout | undefined;
    const isOver = () => signal.aborted;
    signal.addEventListener("abort", () => clearTimeout(grace), { once: true });
    while (!isOver()) {
      try {
        for await (const { status } of client.integration.watchStatus({ organisationId }, { headers, signal })) {
          failures = 0;
          worked = true;
          clearTimeout(grace);
          const json = statusJson(status);
          onStatus?.(organisationId, json);
          this.#publish(event("status", json));
        }
        // The service drains: another one, or the next one, takes over.
      } catch (thrown) {
        if (isOver()) return;
        const error = CalendarError.from(thrown);
        if (error.code === "RESOURCE_EXHAUSTED") {
          this.#publish(`retry: ${COME_BACK_MS}\n\n`);
          return;
        }
        const tell = () => this.#publish(event("unavailable", toErrorResponse(error, language).body));
        clearTimeout(grace);
        // A service that went deaf takes the next call, and never answers it.
        if (worked && !isFinal(error)) grace = setTimeout(tell, GRACE_MS);
        else tell();
        if (isFinal(error)) return;
      }
      worked = false;
      failures += 1;
      await pauseAfter(failures, signal);
    }
  }
}

function isFinal({ code }: CalendarError): boolean {
  return (
    code === "UNAUTHENTICATED" ||
    code === "PERMISSION_DENIED" ||
    code === "INVALID_ARGUMENT" ||
    code === "UNIMPLEMENTED"
  );
}

/** One server-sent event. */
export function event<Name extends keyof StatusEvents>(name: Name, json: StatusEvents[Name]): string {
  return `event: ${name}\ndata: ${JSON.stringify(json)}\n\n`;
}
