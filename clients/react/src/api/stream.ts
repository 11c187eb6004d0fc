/**
 * One status stream a client, shared by every component on the page.
 * It is open only while somebody looks: a hidden tab holds no connection, since browsers allow few per origin.
 * Its invariant: when it does not say `live`, whoever watches has to poll.
 */
import { readClock } from "../host/browser";
import type { IntegrationStatusJson, StatusEvents } from "../wire";
import type { CalendarClient } from "./client";

/** How fresh the stream keeps the status. */
export type Freshness =
  /** Not open, or nothing has arrived yet. */
  | "silent"
  /** Each change arrives by itself. */
  | "live"
  /** The router says that the service is away. */
  | "unavailable";

/** How long a stream may stay without its first status before it counts as broken (a proxy that buffers, say). */
const FIRST_STATUS_TIMEOUT_MS = 5_000;
/** How long to wait before a stream that was refused is opened again. */
const REOPEN_DELAY_MS = 30_000;
/** How many signs of life may fail to come before the stream counts as deaf. */
const SIGNS_MISSED = 2;

/** Follows the status of one client. */
export class StatusStream {
  #freshness: Freshness = "silent";
  #source: EventSource | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #deafTimer: ReturnType<typeof setTimeout> | undefined;
  /** Within how many milliseconds the router promised its next event; `null`: it did not. */
  #nextMs: number | null = null;
  readonly #listeners = new Set<() => void>();
  readonly #client: CalendarClient;
  readonly #onStatus: (status: IntegrationStatusJson) => void;

  readonly #onClosed: () => void;
  #isPaused = false;
  #vouchedAt: Date | null = null;

  /** `onClosed` is called when a stream is given up: nobody tells a reason, so the status has to be asked. */
  constructor(client: CalendarClient, onStatus: (status: IntegrationStatusJson) => void, onClosed: () => void) {
    this.#client = client;
    this.#onStatus = onStatus;
    this.#onClosed = onClosed;
  }

  /** Stays closed for as long as nobody is signed in. */
  pause(isPaused: boolean): void {
    if (isPaused === this.#isPaused) return;
    this.#isPaused = isPaused;
    if (isPaused) this.#close();
    else if (this.#listeners.size > 0) this.#onVisibility();
  }

  /** Answers how fresh the status is. */
  readonly freshness = (): Freshness => this.#freshness;

  /** Answers when the stream last said, or let stand, how things are; `null`: never. */
  vouchedAt(): Date | null {
    return this.#vouchedAt;
  }

  /** Watches; the stream closes when the last watcher leaves. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) {
      document.addEventListener("visibilitychange", this.#onVisibility);
      this.#onVisibility();
    }
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      document.removeEventListener("visibilitychange", this.#onVisibility);
      this.#close();
    };
  };

  readonly #onVisibility = (): void => {
    if (document.visibilityState === "hidden" || this.#isPaused) this.#close();
    else if (this.#source === null) this.#open();
  };

  #open(): void {
    clearTimeout(this.#timer);
    const source = this.#client.openEvents();
    if (source === null) return;
    this.#source = source;
    this.#nextMs = null;
    this.#timer = setTimeout(() => this.#become("silent"), FIRST_STATUS_TIMEOUT_MS);
    source.addEventListener("alive", (event: MessageEvent<string>) => {
      this.#nextMs = (JSON.parse(event.data) as StatusEvents["alive"]).nextMs;
      this.#heard();
      // While the service is away it is the router alone that lives.
      if (this.#freshness === "live") this.#vouchedAt = readClock();
    });
    source.addEventListener("status", (event: MessageEvent<string>) => {
      clearTimeout(this.#timer);
      this.#heard();
      this.#vouchedAt = readClock();
      this.#onStatus(JSON.parse(event.data) as IntegrationStatusJson);
      this.#become("live");
    });
    source.addEventListener("unavailable", () => {
      clearTimeout(this.#timer);
      this.#heard();
      this.#become("unavailable");
    });
    source.addEventListener("error", () => {
      clearTimeout(this.#deafTimer);
      this.#become("silent");
      // 2 is CLOSED: the browser gave up by itself (an answer that is no stream), so opening again is up to us.
      if (source.readyState !== 2) return;
      this.#close();
      this.#timer = setTimeout(() => this.#onVisibility(), REOPEN_DELAY_MS);
      this.#onClosed();
    });
  }

  /** A connection may stand open with nobody at its other end: then nothing comes any more, and no error either. */
  #heard(): void {
    clearTimeout(this.#deafTimer);
    if (this.#nextMs === null) return;
    this.#deafTimer = setTimeout(() => {
      this.#close();
      this.#onClosed();
      this.#onVisibility();
    }, this.#nextMs * SIGNS_MISSED);
  }

  #close(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#deafTimer);
    this.#source?.close();
    this.#source = null;
    this.#become("silent");
  }

  #become(freshness: Freshness): void {
    if (this.#freshness === freshness) return;
    this.#freshness = freshness;
    for (const listener of this.#listeners) listener();
  }
}
