/**
 * Gives up an HTTP/2 connection whose peer has gone silent: a NAT entry that was lost, a back end behind a balancer that
 * is gone.
 *
 * It never closes a connection that nobody uses. Its invariant: while calls are made, however many and however short,
 * a peer that says nothing for the interval is asked, and one that does not answer in time is left.
 */
import { constants, type ClientHttp2Stream, type Http2Session } from "node:http2";

import { Code, ConnectError } from "@connectrpc/connect";

const CANCEL = constants.NGHTTP2_CANCEL;

/** Watches over one connection. */
export class Watchdog {
  readonly #session: Http2Session;
  readonly #intervalMs: number;
  readonly #timeoutMs: number;
  #heardAt = performance.now();
  #streamCount = 0;
  #interval: NodeJS.Timeout | undefined;
  #late: NodeJS.Timeout | undefined;
  #isAsking = false;

  /** `intervalMs` of silence are borne before the peer is asked, and `timeoutMs` before its answer is there. */
  constructor(session: Http2Session, intervalMs: number, timeoutMs: number) {
    this.#session = session;
    this.#intervalMs = intervalMs;
    this.#timeoutMs = timeoutMs;
    session.once("close", () => {
      clearTimeout(this.#interval);
      clearTimeout(this.#late);
    });
  }

  /** Watches for as long as `stream` is open. After a long rest the peer is asked at once, beside the call itself. */
  watch(stream: ClientHttp2Stream): void {
    this.#streamCount += 1;
    stream.once("response", () => this.heard());
    stream.once("close", () => (this.#streamCount -= 1));
    this.#check();
  }

  /** The peer has given a sign of life. */
  heard(): void {
    this.#heardAt = performance.now();
  }

  // An ending stream stops nothing: neither the interval nor a question that waits for its answer.
  #check(): void {
    if (this.#interval !== undefined || this.#isAsking || this.#session.destroyed) return;
    const restMs = this.#heardAt + this.#intervalMs - performance.now();
    if (restMs <= 0) {
      this.#ask();
      return;
    }
    this.#interval = setTimeout(() => {
      this.#interval = undefined;
      if (this.#streamCount > 0) this.#check();
    }, restMs).unref();
  }

  #ask(): void {
    this.#isAsking = true;
    const askedAt = performance.now();
    this.#late = setTimeout(() => {
      // What was heard meanwhile counts as much as the answer.
      if (this.#heardAt > askedAt) this.#answered();
      else this.#session.destroy(new ConnectError("the peer gives no sign of life", Code.Unavailable), CANCEL);
    }, this.#timeoutMs).unref();
    this.#session.ping((error) => {
      // A peer that has said it goes away is sent no question any more: what its streams still say has to do.
      if (error !== null) return;
      clearTimeout(this.#late);
      this.heard();
      this.#answered();
    });
  }

  #answered(): void {
    this.#isAsking = false;
    if (this.#streamCount > 0) this.#check();
  }
}
