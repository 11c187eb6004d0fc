/**
 * One page's server-sent events: what its feed tells, a sign of life while that is silent, and an end.
 *
 * It asks the service nothing. Its invariant: once the browser has left, the feed has one page less.
 */
import { milliseconds } from "../time.js";
import { event, type Page } from "./feeds.js";

/** How a page's stream is kept. */
export interface StreamTimes {
  /** How often a silent stream gives a sign of life, in milliseconds. 5,000 by default. */
  heartbeatMs: number | undefined;
  /**
   * How long a stream lives, in milliseconds: the browser then opens the next one, and the session is looked at anew.
   * 600,000 by default.
   */
  lifetimeMs: number | undefined;
}

const LIFETIME_MS = 600_000;
const HEARTBEAT_MS = 5_000;
const RECONNECT_MS = 3_000;

/** Answers a request with the stream. It ends when `left` is aborted, or the browser's connection closes. */
export function statusStream(page: Page, times: StreamTimes, left: AbortSignal): ReadableStream<Uint8Array> {
  const ended = new AbortController();
  const { signal } = ended;
  const end = () => ended.abort();
  signal.addEventListener("abort", () => page.leave(), { once: true });
  // Not `AbortSignal.any` and `timeout`: they hold their sources weakly, and nobody else would hold the timer.
  const lifetime = setTimeout(end, milliseconds(times.lifetimeMs, LIFETIME_MS)).unref();
  signal.addEventListener("abort", () => clearTimeout(lifetime), { once: true });
  if (left.aborted) end();
  else left.addEventListener("abort", end, { once: true, signal });
  const events = eventsOf(page, milliseconds(times.heartbeatMs, HEARTBEAT_MS), signal);
  const encoder = new TextEncoder();
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await events.next();
        if (done) {
          end();
          controller.close();
        } else controller.enqueue(encoder.encode(value));
      },
      cancel: end,
    },
    // Nothing is read ahead: while the browser is slow, several changes are told as one.
    { highWaterMark: 0 },
  );
}

async function* eventsOf(
  page: Page,
  heartbeatMs: number,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  // An event and no comment: a page is not told of comments, and could not tell a silent stream from one that went deaf.
  const alive = event("alive", { nextMs: heartbeatMs });
  yield `retry: ${RECONNECT_MS}\n\n${alive}`;
  const isOver = () => signal.aborted;
  while (!isOver()) {
    const news = page.take();
    if (news !== null) yield news;
    else if (page.isOver) return;
    else if (!(await page.news(heartbeatMs, signal)) && !isOver()) yield alive;
  }
}
