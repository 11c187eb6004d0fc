/**
 * The generated clients with their defaults: a deadline on every single call, retries, and `CalendarError` alone.
 *
 * It knows no method by name: what it does, and over which connection, follows from the kind of the method. Its invariant:
 * a stream that the caller leaves is cancelled at the service.
 */
import type { DescMessage, DescMethod, DescService, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type CallOptions, type Client, type Transport } from "@connectrpc/connect";

import { CalendarError } from "./error.js";
import { checkRequest } from "./request.js";
import { calledOff, withRetry, type RetryPolicy } from "./retry.js";
import { afterDeadline, milliseconds } from "./time.js";
import type { Connection } from "./transport.js";

/** What a single call may say for itself. */
export type { CallOptions } from "@connectrpc/connect";

/** What every call of a client shares. */
export interface CallDefaults {
  /** The deadline of a call with one answer, in milliseconds, its retries included. */
  timeoutMs: number;
  retry: RetryPolicy;
  /** What `accept-language` says unless the call says otherwise. */
  language: string;
}

type Raw = Record<string, unknown>;
type Unary = (request: MessageInitShape<DescMessage>, options: CallOptions) => Promise<MessageShape<DescMessage>>;
type Gathering = (requests: AsyncIterable<unknown>, options: CallOptions) => Promise<MessageShape<DescMessage>>;
type Streaming = (request: unknown, options: CallOptions) => AsyncIterable<MessageShape<DescMessage>>;

/** Makes the client of one service, whose calls with one answer go over `calls`. */
export function callsOf<S extends DescService>(
  service: S,
  { calls, watches, transfers }: Pick<Connection, "calls" | "watches" | "transfers">,
  defaults: CallDefaults,
): Client<S> {
  const over = (transport: Transport) => createClient(service, transport) as Raw;
  const gathering = over(transfers);
  const raws: Record<DescMethod["methodKind"], Raw> = {
    unary: over(calls),
    server_streaming: over(watches),
    client_streaming: gathering,
    bidi_streaming: gathering,
  };
  const made = service.methods.map((method) => [
    method.localName,
    withDefaults(method, raws[method.methodKind], defaults),
  ]);
  return Object.fromEntries(made) as Client<S>;
}

function withDefaults(method: DescMethod, raw: Raw, defaults: CallDefaults) {
  if (method.methodKind === "unary") {
    const call = raw[method.localName] as Unary;
    return async (request: MessageInitShape<DescMessage>, options: CallOptions = {}) => {
      checkRequest(method.input, request);
      return await withRetry(
        (remainingMs) => withDeadline(remainingMs, call, request, options, defaults),
        defaults.retry,
        milliseconds(options.timeoutMs, defaults.timeoutMs),
        options.signal,
      );
    };
  }
  if (method.methodKind === "client_streaming") {
    const call = raw[method.localName] as Gathering;
    return (requests: AsyncIterable<unknown>, options: CallOptions = {}) => gather(call, requests, options, defaults);
  }
  const call = raw[method.localName] as Streaming;
  const isOneRequest = method.methodKind === "server_streaming";
  return async function* (request: unknown, options: CallOptions = {}) {
    if (isOneRequest) checkRequest(method.input, request);
    yield* stream(call, request, options, defaults);
  };
}

// The deadline is kept here and told to the service, rather than kept by connect-node, which would give up an answer that
// has arrived while the event loop was blocked.
async function withDeadline(
  timeoutMs: number,
  call: Unary,
  request: MessageInitShape<DescMessage>,
  options: CallOptions,
  defaults: CallDefaults,
): Promise<MessageShape<DescMessage>> {
  const expired = new AbortController();
  const callOff = afterDeadline(timeoutMs, () =>
    expired.abort(new ConnectError("the deadline passed", Code.DeadlineExceeded)),
  );
  const headers = headersOf(options, defaults);
  headers.set("grpc-timeout", grpcTimeout(timeoutMs));
  const signal = options.signal ? AbortSignal.any([options.signal, expired.signal]) : expired.signal;
  try {
    return await call(request, { ...options, timeoutMs: undefined, headers, signal });
  } finally {
    callOff();
  }
}

// At most eight digits, says gRPC.
function grpcTimeout(timeoutMs: number): string {
  return timeoutMs < 1e8 ? `${Math.ceil(timeoutMs)}m` : `${Math.ceil(timeoutMs / 1000)}S`;
}

// It lasts as long as its requests do: no deadline, and no second try.
async function gather(
  call: Gathering,
  requests: AsyncIterable<unknown>,
  options: CallOptions,
  defaults: CallDefaults,
): Promise<MessageShape<DescMessage>> {
  try {
    return await call(requests, { ...options, headers: headersOf(options, defaults) });
  } catch (thrown) {
    throw options.signal?.aborted ? calledOff(thrown) : CalendarError.from(thrown);
  }
}

async function* stream(call: Streaming, request: unknown, options: CallOptions, defaults: CallDefaults) {
  // Leaving a `for await` early does not cancel a Connect stream; aborting its signal does.
  const left = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, left.signal]) : left.signal;
  try {
    yield* call(request, { ...options, headers: headersOf(options, defaults), signal });
  } catch (thrown) {
    throw options.signal?.aborted ? calledOff(thrown) : CalendarError.from(thrown);
  } finally {
    left.abort();
  }
}

function headersOf(options: CallOptions, defaults: CallDefaults): Headers {
  // `HeadersInit` is a name of the browser's types, which a Node program need not have.
  const headers = new Headers(options.headers as Headers | undefined);
  if (!headers.has("accept-language")) headers.set("accept-language", defaults.language);
  return headers;
}
