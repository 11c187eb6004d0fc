import { runInNewContext } from "node:vm";

import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";

import { CalendarError, type CalendarErrorCode } from "../../src/error.js";
import { longestBackoff, withRetry, waitBeforeRetry } from "../../src/retry.js";

const POLICY = { retries: 3, firstWaitMs: 1, longestWaitMs: 4 };
const failing = (code: CalendarErrorCode, retryAfterMs?: number) =>
  new CalendarError("no", { code, retryAfterMs: retryAfterMs ?? null });

async function triesOf(errors: CalendarError[], timeoutMs = 10_000) {
  let tries = 0;
  const outcome = await withRetry(
    () => {
      const error = errors[tries];
      tries += 1;
      return error === undefined ? Promise.resolve("done") : Promise.reject(error);
    },
    POLICY,
    timeoutMs,
  ).catch((thrown: unknown) => thrown);
  return { tries, outcome };
}

describe("a call", () => {
  it("is tried again while the service is away, and tells what it answered then", async () => {
    expect(await triesOf([failing("UNAVAILABLE"), failing("UNAVAILABLE")])).toEqual({ tries: 3, outcome: "done" });
  });

  it("is given up after as many tries as were allowed, with the error of the last one", async () => {
    const errors = [1, 2, 3, 4].map(() => failing("UNAVAILABLE"));
    expect(await triesOf(errors)).toEqual({ tries: 4, outcome: errors[3] });
  });

  it.each<CalendarErrorCode>([
    "INVALID_ARGUMENT",
    "UNAUTHENTICATED",
    "PERMISSION_DENIED",
    "FAILED_PRECONDITION",
    "NOT_FOUND",
    "DEADLINE_EXCEEDED",
    "RESOURCE_EXHAUSTED",
    "ABORTED",
    "INTERNAL",
    "UNKNOWN",
  ])("that failed with %s is not repeated", async (code) => {
    const error = failing(code, 1);
    expect(await triesOf([error])).toEqual({ tries: 1, outcome: error });
  });

  it("is not tried again if the service asks for a longer wait than the deadline leaves", async () => {
    const error = failing("UNAVAILABLE", 60_000);
    const begun = performance.now();
    expect(await triesOf([error], 5_000)).toEqual({ tries: 1, outcome: error });
    expect(performance.now() - begun).toBeLessThan(5_000);
  });

  it("waits at least as long as the service asks", async () => {
    const begun = performance.now();
    expect((await triesOf([failing("UNAVAILABLE", 60)])).outcome).toBe("done");
    expect(performance.now() - begun).toBeGreaterThanOrEqual(59);
  });

  it("ends when the caller leaves, in the middle of a wait too", async () => {
    const caller = new AbortController();
    const leaving = withRetry(
      () => {
        queueMicrotask(() => caller.abort());
        return Promise.reject(failing("UNAVAILABLE", 60_000));
      },
      POLICY,
      120_000,
      caller.signal,
    );
    await expect(leaving).rejects.toMatchObject({ name: "CalendarError", code: "CANCELLED" });
  });

  it("is told how much of its deadline is left", async () => {
    const told: number[] = [];
    await withRetry(
      (remainingMs) => {
        told.push(remainingMs);
        return told.length < 3 ? Promise.reject(failing("UNAVAILABLE")) : Promise.resolve();
      },
      POLICY,
      1_000,
    );
    expect(told[0]).toBeLessThanOrEqual(1_000);
    expect(told[2]).toBeLessThan(told[0] ?? 0);
  });
});

it("only UNAVAILABLE allows a further try", () => {
  expect(waitBeforeRetry(failing("UNAVAILABLE"))).toBe(0);
  expect(waitBeforeRetry(failing("UNAVAILABLE", 250))).toBe(250);
  expect(waitBeforeRetry(failing("INTERNAL", 250))).toBeNull();
  expect(waitBeforeRetry(new Error("no"))).toBeNull();
});

it("a backoff doubles up to its limit", () => {
  const policy = { retries: 9, firstWaitMs: 100, longestWaitMs: 1_000 };
  expect([0, 1, 2, 3, 4].map((retries) => longestBackoff(policy, retries))).toEqual([200, 400, 800, 1_000, 1_000]);
});

describe("an error", () => {
  it.each([
    ["ECONNRESET", Code.Aborted, "UNAVAILABLE"],
    ["ECONNREFUSED", Code.Unavailable, "UNAVAILABLE"],
    ["EPIPE", Code.Internal, "UNAVAILABLE"],
    ["ERR_HTTP2_GOAWAY_SESSION", Code.Internal, "UNAVAILABLE"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", Code.Internal, "INTERNAL"],
    ["ECONNRESET", Code.Canceled, "UNAVAILABLE"],
    ["ECONNRESET", Code.DeadlineExceeded, "DEADLINE_EXCEEDED"],
  ])("of Node's %s under %s is %s", (nodeCode, code, expected) => {
    const cause = Object.assign(new Error("socket"), { code: nodeCode });
    const error = CalendarError.from(new ConnectError("lost", code, undefined, undefined, cause));
    expect(error.code).toBe(expected);
  });

  it("of another realm, as Node's are under Jest, is read by its shape", () => {
    const cause: unknown = runInNewContext(`Object.assign(new Error("socket"), { code: "ECONNREFUSED" })`);
    expect(cause).not.toBeInstanceOf(Error);
    expect(CalendarError.from(new ConnectError("lost", Code.Internal, undefined, undefined, cause)).code).toBe(
      "UNAVAILABLE",
    );
  });

  it("that is one already stays itself", () => {
    const error = failing("NOT_FOUND");
    expect(CalendarError.from(error)).toBe(error);
  });
});
