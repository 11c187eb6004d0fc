/** Which problems a host is told, whatever the stream goes through. */
import { expect, it } from "vitest";

import { CalendarError, ErrorReason, type CalendarClient } from "../../src/index.js";
import { followProblems, type ProblemNews } from "../../src/problems.js";

type Integration = CalendarClient["integration"];
type Notice = object | CalendarError;

const broken = (organisationId: string, days = 0, since = 1n) => ({
  case: "broken",
  value: {
    organisationId,
    days,
    problem: { reason: ErrorReason.RECONNECT_REQUIRED, message: "m", sinceTime: { seconds: since, nanos: 0 } },
  },
});
const healed = (organisationId: string) => ({ case: "healed", value: { organisationId } });
const allTold = { case: "allTold", value: {} };

/** A service whose streams tell these notices, one stream after the other; an error breaks one off. */
function streams(...told: Notice[][]): { integration: Integration; opened: () => number } {
  let opened = 0;
  const integration = {
    // eslint-disable-next-line @typescript-eslint/require-await -- a stream is an async iterable by type alone
    async *watchProblems() {
      for (const notice of told[opened++] ?? []) {
        if (notice instanceof CalendarError) throw notice;
        yield { notice };
      }
    },
  } as unknown as Integration;
  return { integration, opened: () => opened };
}

async function newsOf(told: Notice[][], take: (news: ProblemNews) => void = () => undefined) {
  const { integration, opened } = streams(...told);
  const ended = new AbortController();
  const news: string[] = [];
  const failures: string[] = [];
  const following = followProblems(integration, {
    signal: ended.signal,
    onFailure: ({ code }) => failures.push(code),
    onProblem: (each) => {
      take(each);
      news.push(
        each.kind === "broken" ? `${each.organisationId} ${each.reason} ${each.days}` : `${each.organisationId} well`,
      );
    },
  });
  await expect.poll(opened, { timeout: 10_000 }).toBeGreaterThan(told.length);
  ended.abort();
  await following;
  return { news, failures };
}

it("each piece of news is told once, though the stream breaks off and tells all of it again", async () => {
  const { news } = await newsOf([
    [broken("a"), allTold, broken("b"), broken("a", 1)],
    [broken("a", 1), broken("b"), allTold, healed("a")],
  ]);
  expect(news).toEqual(["a RECONNECT_REQUIRED 0", "b RECONNECT_REQUIRED 0", "a RECONNECT_REQUIRED 1", "a well"]);
});

it("what has healed while nobody listened is told as healed, and what broke anew as broken", async () => {
  const { news } = await newsOf([
    [broken("a"), broken("b"), allTold],
    [broken("b", 0, 2n), allTold],
  ]);
  expect(news).toEqual(["a RECONNECT_REQUIRED 0", "b RECONNECT_REQUIRED 0", "b RECONNECT_REQUIRED 0", "a well"]);
});

it("what the host failed to take is told again", async () => {
  let tries = 0;
  const { news } = await newsOf(
    [
      [broken("a"), allTold],
      [broken("a"), allTold],
    ],
    () => {
      tries += 1;
      if (tries === 1) throw new Error("no mail server");
    },
  );
  expect([tries, news]).toEqual([2, ["a RECONNECT_REQUIRED 0"]]);
});

it("a stream that cannot be opened is told once until it works", async () => {
  const away = new CalendarError("away", { code: "UNAVAILABLE" });
  const { failures } = await newsOf([[away], [away], [allTold, away]]);
  expect(failures).toEqual(["UNAVAILABLE", "UNAVAILABLE"]);
});
