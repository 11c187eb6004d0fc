/**
 * The connections to the service: gRPC over HTTP/2, with key, TLS and keep-alive.
 *
 * It owns how the service is reached, and what goes apart from what; the HTTP/2 session itself is that of `session.ts`. It
 * never repeats the key. Its invariant: a key is not sent in the clear to another machine unless the host says so.
 */
import type { SecureClientSessionOptions } from "node:http2";

import { Code, ConnectError, type Interceptor, type Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";

import { Session, type SessionTimes } from "./session.js";
import { milliseconds } from "./time.js";

/** Where the service is, and how to reach it. */
export interface TransportOptions {
  /** Address of the service's gRPC port, such as `https://calendar.internal:50051` or `http://127.0.0.1:50051`. */
  address: string;
  /** The API key, sent as `authorization: Bearer`. Not needed by a service in dev mode. */
  apiKey?: string | undefined;
  /** TLS beside the system's own roots. */
  tls?: {
    /** Certificate authorities in PEM, instead of the system's. */
    ca?: string | Buffer;
    /** The name to hold the certificate against, where it is not the host of `address`. */
    serverName?: string;
  };
  /** Allows a key over `http:` to another machine: behind a mesh that encrypts by itself. */
  allowPlaintext?: boolean;
  /** How long the making of a connection may take, in milliseconds. 10,000 by default. */
  connectTimeoutMs?: number;
  /**
   * How long a connection under a call may be silent before the peer is asked for a sign of life, in milliseconds: 20,000 by
   * default, and never more than 5,000 under a stream.
   */
  pingIntervalMs?: number;
  /** How long that sign may take, in milliseconds, before the connection counts as lost. 5,000 by default. */
  pingTimeoutMs?: number;
}

/**
 * How the service is spoken to, and the way to end it. Each transport has a connection of its own: a peer takes so many
 * calls on one, and a call beyond them waits until another has ended.
 */
export interface Connection {
  /** For what a mutation waits for, and nothing else: nothing stays there beyond the deadline of a mutation. */
  mutations: Transport;
  /** For the host's other calls about appointments. */
  calls: Transport;
  /** For the calls that pages bring about: as many as people ask, and those that make the service ask Google may hang. */
  pages: Transport;
  /** For streams of answers: open for as long as somebody looks. */
  watches: Transport;
  /** For streams of requests: imports and comparisons. */
  transfers: Transport;
  close: () => void;
}

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;
// What an HTTP header can hold of a key.
const HEADER_SAFE = /^[\x21-\x7e]+$/;
const CONNECT_TIMEOUT_MS = 10_000;
const PING_INTERVAL_MS = 20_000;
const STREAM_PING_INTERVAL_MS = 5_000;
const PING_TIMEOUT_MS = 5_000;
const LARGEST_ANSWER_BYTES = 4 * 1024 * 1024;

/** Makes the connections, each of which its first call opens. Throws on options that make no sense together. */
export function connect(options: TransportOptions): Connection {
  const { address, tls } = optionsOf(options);
  // A key that was read from a file ends in a line break.
  const apiKey = options.apiKey?.trim();
  if (!/^https?:\/\//.test(address) || !URL.canParse(address)) {
    throw new TypeError("address must be a URL with its scheme, such as https://calendar.internal:50051");
  }
  const url = new URL(address);
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "" || url.username !== "") {
    throw new TypeError("address must be a scheme, a host and a port, and nothing else");
  }
  if (apiKey && !HEADER_SAFE.test(apiKey)) {
    throw new TypeError("apiKey holds a blank, a line break or another character that no key has");
  }
  if (url.protocol === "http:" && tls !== undefined) {
    throw new TypeError("tls is set, but address begins with http://");
  }
  if (url.protocol === "http:" && apiKey && !LOOPBACK.test(url.hostname) && !options.allowPlaintext) {
    throw new TypeError("an API key would travel in the clear: use https://, or set allowPlaintext behind a mesh");
  }
  const secure: SecureClientSessionOptions = {
    ...(tls?.ca !== undefined && { ca: tls.ca }),
    ...(tls?.serverName !== undefined && { servername: tls.serverName }),
  };
  const times = {
    connectTimeoutMs: milliseconds(options.connectTimeoutMs, CONNECT_TIMEOUT_MS),
    pingIntervalMs: milliseconds(options.pingIntervalMs, PING_INTERVAL_MS),
    pingTimeoutMs: milliseconds(options.pingTimeoutMs, PING_TIMEOUT_MS),
  };
  // A stream waits for news that may never come: who reads it is to know soon whether anybody is still there.
  const streamTimes = { ...times, pingIntervalMs: Math.min(times.pingIntervalMs, STREAM_PING_INTERVAL_MS) };
  const sessions: Session[] = [];
  return {
    mutations: opened(times),
    calls: opened(times),
    pages: opened(times),
    watches: opened(streamTimes),
    transfers: opened(streamTimes),
    close: () => sessions.forEach((session) => session.close()),
  };

  function opened(kept: SessionTimes): Transport {
    const session = new Session(url.origin, kept, secure);
    sessions.push(session);
    return createGrpcTransport({
      baseUrl: url.origin,
      sessionManager: session,
      readMaxBytes: LARGEST_ANSWER_BYTES,
      interceptors: [explain(session, url.protocol), ...(apiKey ? [bearer(apiKey)] : [])],
    });
  }
}

// A host in plain JavaScript may hand over anything.
function optionsOf(options: TransportOptions | null | undefined): TransportOptions {
  if (typeof options?.address !== "string") throw new TypeError("address must say where the service is");
  return options;
}

const UNTRUSTED = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

// Node says what broke; whoever sets the client up asks why.
function explain(session: Session, protocol: string): Interceptor {
  return (next) => async (request) => {
    try {
      return await next(request);
    } catch (thrown) {
      const error = ConnectError.from(thrown);
      const why = request.signal.aborted ? null : causeOf(error, protocol, session.hasSpoken);
      if (why === null) throw thrown;
      throw new ConnectError(`${why} (${error.rawMessage})`, error.code, error.metadata, undefined, error.cause);
    }
  };
}

function causeOf(error: ConnectError, protocol: string, hasSpoken: boolean | null): string | null {
  const { cause } = error;
  const code = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined;
  if (typeof code === "string" && UNTRUSTED.has(code)) {
    return "nobody that this machine trusts vouches for the service's certificate: tls.ca names an authority of your own";
  }
  if (hasSpoken === true) return null;
  if (protocol === "https:") {
    const isPlain =
      code === "EPROTO" ||
      code === "ERR_SSL_WRONG_VERSION_NUMBER" ||
      // As some end a connection that begins with what they do not understand.
      (code === "ECONNRESET" && hasSpoken === null) ||
      error.message.includes("before secure TLS");
    return isPlain ? "the service does not answer in TLS: is its port one for http://?" : null;
  }
  const isCutOff = error.code === Code.Canceled || (error.code === Code.Unavailable && code === undefined);
  return hasSpoken === false && isCutOff
    ? "the service does not answer in plain HTTP/2: is its port one for https://?"
    : null;
}

function bearer(apiKey: string): Interceptor {
  const authorization = `Bearer ${apiKey}`;
  return (next) => (request) => {
    request.header.set("authorization", authorization);
    return next(request);
  };
}
