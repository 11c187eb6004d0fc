/**
 * One page's server-sent events: what its feed tells, a sign of life while that is silent, and an end.
 *
 * It asks the service nothing. Its invariants: once the browser has left, the feed has one page less; and no page is told
 * anything for longer than a while after its request would be refused.
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
  /** How often an open stream's session is looked at again, in milliseconds. 30,000 by default. */
  sessionCheckMs: number | undefined;
}

const LIFETIME_MS = 600_000;
const HEARTBEAT_MS = 5_000;
const SESSION_CHECK_MS = 30_000;
const RECONNECT_MS = 3_000;

/** Why a stream ends that its reader may follow no longer. */
const WITHDRAWN = Symbol("the request would be refused");

/**
 * Answers a request with the stream. It ends when `left` is aborted, the browser's connection closes, or `mayFollow` no
 * longer holds: the browser then comes back at once, and its request is told what is the matter.
 */
export function statusStream(
  page: Page,
  times: StreamTimes,
  left: AbortSignal,
  mayFollow: () => Promise<boolean>,
): ReadableStream<Uint8Array> {
  const ended = new AbortController();
  const { signal } = ended;
  const end = () => ended.abort();
  signal.addEventListener("abort", () => page.leave(), { once: true });
  // Not `AbortSignal.any` and `timeout`: they hold their sources weakly, and nobody else would hold the timer.
  const lifetime = setTimeout(end, milliseconds(times.lifetimeMs, LIFETIME_MS)).unref();
  signal.addEventListener("abort", () => clearTimeout(lifetime), { once: true });
  if (left.aborted) end();
  else left.addEventListener("abort", end, { once: true, signal });
  lookAgain(milliseconds(times.sessionCheckMs, SESSION_CHECK_MS), mayFollow, ended);
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

/** Asks `mayFollow` every `everyMs`, one question at a time, until the stream ends; ends it where the answer is no, or none. */
function lookAgain(everyMs: number, mayFollow: () => Promise<boolean>, ended: AbortController): void {
  const { signal } = ended;
  if (signal.aborted) return;
  const look = async () => {
    if (!(await mayFollow().catch(() => false))) ended.abort(WITHDRAWN);
    else if (!signal.aborted) wait();
  };
  let timer: NodeJS.Timeout | undefined;
  const wait = () => {
    timer = setTimeout(() => void look(), everyMs).unref();
  };
  signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  wait();
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
  if (signal.reason === WITHDRAWN) yield "retry: 0\n\n";
}
