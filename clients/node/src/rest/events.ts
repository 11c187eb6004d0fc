/**
 * The status of an integration as server-sent events, over `WatchStatus`.
 *
 * It holds one gRPC stream for one browser stream, and nothing else: no cache, no fan-out. Its invariant: when the
 * browser has left, the gRPC stream is closed too.
 */
import { setTimeout as sleep } from "node:timers/promises";

import type { CalendarClient } from "../client.js";
import { CalendarError } from "../error.js";
import { milliseconds } from "../time.js";
import { statusJson } from "./json.js";
import { toErrorResponse } from "./refusal.js";
import type { IntegrationStatusJson, StatusEvents } from "./types.js";

/** Whose status is streamed, and how. */
export interface StatusStream {
  client: CalendarClient;
  organisationId: string;
  acceptLanguage: string | null;
  /** Is told of each status that is sent. */
  onStatus?: (status: IntegrationStatusJson) => void;
  /** How often a comment keeps the connection alive, in milliseconds. 15,000 by default. */
  heartbeatMs: number | undefined;
  /**
   * How long a stream lives, in milliseconds: the browser then opens the next one, and the session is looked at anew.
   * 600,000 by default.
   */
  lifetimeMs: number | undefined;
}

const LIFETIME_MS = 600_000;
const HEARTBEAT_MS = 15_000;
const RECONNECT_MS = 3_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;

/** Answers a request with the stream. It ends when `left` is aborted, or the browser's connection closes. */
export function statusStream(stream: StatusStream, left: AbortSignal): ReadableStream<Uint8Array> {
  const ended = new AbortController();
  const { signal } = ended;
  const end = () => ended.abort();
  // Not `AbortSignal.any` and `timeout`: they hold their sources weakly, and nobody else would hold the timer.
  const lifetime = setTimeout(end, milliseconds(stream.lifetimeMs, LIFETIME_MS)).unref();
  signal.addEventListener("abort", () => clearTimeout(lifetime), { once: true });
  if (left.aborted) end();
  else left.addEventListener("abort", end, { once: true, signal });
  const frames = withHeartbeat(statusFrames(stream, signal), milliseconds(stream.heartbeatMs, HEARTBEAT_MS), signal);
  const encoder = new TextEncoder();
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await frames.next();
        if (done) controller.close();
        else controller.enqueue(encoder.encode(value));
      },
      cancel: end,
    },
    // Nothing is read ahead: while the browser is slow, the service tells several changes as one.
    { highWaterMark: 0 },
  );
}

async function* statusFrames(stream: StatusStream, signal: AbortSignal): AsyncGenerator<string, void, undefined> {
  const { client, organisationId, acceptLanguage } = stream;
  const headers = acceptLanguage === null ? {} : { "accept-language": acceptLanguage };
  yield `retry: ${RECONNECT_MS}\n\n`;
  let failures = 0;
  // A stream that worked and breaks off is opened again before anything is said: a restart behind a balancer, or of a
  // service that is back within the first wait, is none of the practice's business.
  let worked = false;
  const isOver = () => signal.aborted;
  while (!isOver()) {
    try {
      for await (const { status } of client.integration.watchStatus({ organisationId }, { headers, signal })) {
        failures = 0;
        worked = true;
        const json = statusJson(status);
        stream.onStatus?.(json);
        yield frame("status", json);
      }
      // The service drains: another one, or the next one, takes over.
    } catch (thrown) {
      if (isOver()) return;
      const error = CalendarError.from(thrown);
      if (!worked || isFinal(error)) yield frame("unavailable", toErrorResponse(error, acceptLanguage).body);
      if (isFinal(error)) return;
    }
    worked = false;
    failures += 1;
    await pause(failures, signal);
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

async function pause(failures: number, signal: AbortSignal): Promise<void> {
  const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - 1));
  // Half of it by chance, so that the streams of a practice do not all come back in the same instant.
  await sleep(longest * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
}

async function* withHeartbeat(
  frames: AsyncGenerator<string, void, undefined>,
  heartbeatMs: number,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  let next = frames.next();
  const isOver = () => signal.aborted;
  while (!isOver()) {
    const silence = new AbortController();
    const beat = sleep(heartbeatMs, null, { signal: AbortSignal.any([signal, silence.signal]) }).catch(() => null);
    const first = await Promise.race([next, beat]);
    silence.abort();
    if (first === null) {
      if (!isOver()) yield ": still here\n\n";
    } else {
      if (first.done) return;
      yield first.value;
      next = frames.next();
    }
  }
}

function frame<Name extends keyof StatusEvents>(name: Name, json: StatusEvents[Name]): string {
  return `event: ${name}\ndata: ${JSON.stringify(json)}\n\n`;
}
