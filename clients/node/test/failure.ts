/** What a call fails with: a `CalendarError`, or the test fails. */
import { expect } from "vitest";

import { CalendarError } from "../src/index.js";

/** Waits for `call` to fail, and answers its error. */
export async function failure(call: Promise<unknown>): Promise<CalendarError> {
  const thrown: unknown = await call.then(
    () => "no failure",
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(CalendarError);
  return thrown as CalendarError;
}
