/**
 * The HTTP/2 connection under the client, with three cares that connect-node leaves to its user.
 *
 * A connection that cannot be made in time is given up, so that the next call begins a new one. An error of a connection
 * that nobody uses any more is nobody's: Node would end the process for it. And a client that was closed stays closed.
 */
import type { ClientHttp2Stream, ClientSessionRequestOptions, Http2Session, OutgoingHttpHeaders } from "node:http2";

import { Code, ConnectError } from "@connectrpc/connect";
import { Http2SessionManager } from "@connectrpc/connect-node";

/** A connection that is opened by the first request, and again whenever it is lost. */
export class Session extends Http2SessionManager {
  readonly #connectTimeoutMs: number;
  readonly #watched = new WeakSet<Http2Session>();
  #isClosed = false;

  constructor(connectTimeoutMs: number, ...manager: ConstructorParameters<typeof Http2SessionManager>) {
    super(...manager);
    this.#connectTimeoutMs = connectTimeoutMs;
  }

  override async request(
    method: string,
    path: string,
    headers: OutgoingHttpHeaders,
    options: ClientSessionRequestOptions,
  ): Promise<ClientHttp2Stream> {
    if (this.#isClosed) throw closed();
    const late = setTimeout(() => {
      if (this.state() === "connecting") this.abort(new ConnectError("no connection in time", Code.Unavailable));
    }, this.#connectTimeoutMs);
    try {
      const stream = await super.request(method, path, headers, options);
      this.#watch(stream.session);
      return stream;
    } finally {
      clearTimeout(late);
    }
  }

  /** Ends the connection for good; calls under way fail. */
  close(): void {
    this.#isClosed = true;
    this.abort(closed());
  }

  // The manager takes its own listener away as soon as the connection is replaced; an error may follow all the same.
  #watch(session: Http2Session | undefined): void {
    if (session === undefined || this.#watched.has(session)) return;
    this.#watched.add(session);
    session.on("error", () => undefined);
  }
}

function closed(): ConnectError {
  return new ConnectError("the client was closed", Code.FailedPrecondition);
}
