/**
 * The HTTP/2 connection under the client, with three cares that connect-node leaves to its user.
 *
 * A connection that cannot be made in time, or whose peer gives no sign of life, is given up, so that the next call begins
 * a new one. An error of a connection that nobody uses any more is nobody's: Node would end the process for it. And a
 * client that was closed stays closed.
 */
import {
  constants,
  type ClientHttp2Stream,
  type ClientSessionRequestOptions,
  type Http2Session,
  type OutgoingHttpHeaders,
} from "node:http2";

import { Code, ConnectError } from "@connectrpc/connect";
import { Http2SessionManager } from "@connectrpc/connect-node";

import { Watchdog } from "./watchdog.js";

/** How long a connection may take, and how long it may be silent. All in milliseconds. */
export interface SessionTimes {
  connectTimeoutMs: number;
  pingIntervalMs: number;
  pingTimeoutMs: number;
}

/** A connection that is opened by the first request, and again whenever it is lost. */
export class Session extends Http2SessionManager {
  readonly #times: SessionTimes;
  readonly #watchdogs = new WeakMap<Http2Session, Watchdog>();
  #connecting: NodeJS.Timeout | undefined;
  #isClosed = false;
  #hasSpoken: boolean | null = null;

  constructor(origin: string, times: SessionTimes, options: ConstructorParameters<typeof Http2SessionManager>[2]) {
    // connect-node's own pings stay off: the end of any stream clears its wait for an answer, so that under steady calls
    // a connection that went deaf would be kept for ever.
    super(origin, {}, options);
    this.#times = times;
  }

  override async request(
    method: string,
    path: string,
    headers: OutgoingHttpHeaders,
    options: ClientSessionRequestOptions,
  ): Promise<ClientHttp2Stream> {
    if (this.#isClosed) throw closed();
    const requested = super.request(method, path, headers, options);
    this.#watchConnecting();
    try {
      const stream = await requested;
      this.#watchdogOf(stream.session)?.watch(stream);
      preferStatus(stream);
      return stream;
    } finally {
      if (this.state() !== "connecting") this.#stopWatchingConnecting();
    }
  }

  /** Whether the peer of the latest connection has answered in HTTP/2; `null` before there was one. */
  get hasSpoken(): boolean | null {
    return this.#hasSpoken;
  }

  override notifyResponseByteRead(stream: ClientHttp2Stream): void {
    super.notifyResponseByteRead(stream);
    if (stream.session) this.#watchdogs.get(stream.session)?.heard();
  }

  /** Ends the connection for good; calls under way fail. */
  close(): void {
    this.#isClosed = true;
    this.#stopWatchingConnecting();
    this.abort(closed());
  }

  // One timer for an attempt, however many calls wait for it: a later call gives it no more time.
  #watchConnecting(): void {
    if (this.#connecting !== undefined || this.state() !== "connecting") return;
    this.#connecting = setTimeout(() => {
      this.#connecting = undefined;
      if (this.state() === "connecting") this.abort(new ConnectError("no connection in time", Code.Unavailable));
    }, this.#times.connectTimeoutMs);
  }

  #stopWatchingConnecting(): void {
    clearTimeout(this.#connecting);
    this.#connecting = undefined;
  }

  #watchdogOf(session: Http2Session | undefined): Watchdog | undefined {
    if (session === undefined) return undefined;
    const known = this.#watchdogs.get(session);
    if (known) return known;
    // The manager takes its own listener away as soon as the connection is replaced; an error may follow all the same.
    session.on("error", () => undefined);
    this.#hasSpoken = false;
    session.once("remoteSettings", () => (this.#hasSpoken = true));
    const watchdog = new Watchdog(session, this.#times.pingIntervalMs, this.#times.pingTimeoutMs);
    this.#watchdogs.set(session, watchdog);
    return watchdog;
  }
}

// A peer that ends a call before it has read the whole request says why in its trailers, and then resets the stream with
// NO_ERROR. Node calls that aborted, which would be told ("Premature close") instead of the status.
function preferStatus(stream: ClientHttp2Stream): void {
  const emit = stream.emit.bind(stream) as (...event: unknown[]) => boolean;
  stream.emit = (...event: unknown[]) =>
    event[0] === "aborted" && stream.rstCode === constants.NGHTTP2_NO_ERROR ? false : emit(...event);
}

function closed(): ConnectError {
  return new ConnectError("the client was closed", Code.FailedPrecondition);
}
