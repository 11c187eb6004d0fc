import { expect, it } from "vitest";

import { BEGIN_CONNECT, LINKS, PREVIEW } from "../../src/rest/bodies.js";

it.each([
  ["/settings", true],
  ["/settings/integrations/google-calendar?tab=options#top", true],
  ["/réglages", true],
  ["//evil.example", false],
  ["/\\evil.example", false],
  ["/a\\b", false],
  ["https://evil.example", false],
  ["javascript:alert(1)", false],
  ["settings", false],
  ["", false],
  ["/\t/evil.example", false],
  ["/a\r\nset-cookie: b=c", false],
  [`/${"a".repeat(2_048)}`, false],
])("the way back %j is a path of this origin: %s", (returnPath, accepted) => {
  expect(BEGIN_CONNECT.safeParse({ returnPath }).success).toBe(accepted);
});

it("every way back that is accepted stays on the origin", () => {
  const origin = "https://cassius.example";
  for (const returnPath of ["/settings", "/settings?next=//evil.example", "/@evil.example", "/:443", "/.//evil"]) {
    expect(BEGIN_CONNECT.safeParse({ returnPath }).success).toBe(true);
    expect(new URL(returnPath, origin).origin).toBe(origin);
  }
});

it.each([
  [{}, true],
  [{ syncStatus: "error", pageSize: "50", pageToken: "abc" }, true],
  [{ pageSize: "0" }, false],
  [{ pageSize: "1001" }, false],
  [{ pageSize: "1.5" }, false],
  [{ pageSize: "" }, false],
  [{ syncStatus: "ERROR" }, false],
  [{ organisationId: "other" }, false],
])("the query %j of links is taken: %s", (query, accepted) => {
  expect(LINKS.safeParse(query).success).toBe(accepted);
});

it("an appointment to preview needs instants that are instants", () => {
  const appointment = {
    startTime: "2026-03-02T09:00:00+01:00",
    endTime: "2026-03-02T09:30:00Z",
    timeZone: "Europe/Paris",
  };
  expect(PREVIEW.safeParse({ appointment }).success).toBe(true);
  expect(PREVIEW.safeParse({ appointment: { ...appointment, endTime: "tomorrow" } }).success).toBe(false);
});
