/** What is told of a practice to whoever looks after it. */
import { expect, it } from "vitest";

import type { ProblemNews } from "../../src/index.js";
import { createRouter } from "../../src/rest/index.js";
import type { HistoryAnswer, JournalAnswer } from "../../src/rest/types.js";
import { appointment, emulator, Practice, PUBLIC_URL } from "./service.js";

it("acts are in the journal with who did them, and calls of Google in the history of their appointment", async () => {
  const practice = new Practice();
  const { organisationId, client } = practice;
  await practice.connect();
  const router = createRouter({
    client,
    publicOrigin: PUBLIC_URL,
    caller: () => ({ organisationId }),
    mayUse: () => true,
    actor: () => "camille",
  });
  await router.respond(practice.request("PATCH", "settings", { titlePrivacy: "initials" }));
  const { entries } = (await practice.ask("GET", "journal")).json as JournalAnswer;
  expect(entries[0]).toMatchObject({ actor: "camille", action: "UpdateSettings", outcome: "OK" });
  expect(entries.map(({ action }) => action)).toContain("CompleteConsent");

  const sent = appointment();
  await client.syncAfterMutation({ organisationId, appointment: sent }, { deadlineMs: 5_000 });
  const history = async () => {
    const answer = await practice.ask("GET", `history?appointmentId=${sent.appointmentId}`);
    return (answer.json as HistoryAnswer).calls.map(({ method, answer }) => `${method} ${answer}`);
  };
  await expect.poll(history, { timeout: 10_000 }).toContain("events.insert stored");
  client.close();
});

it("a host is told when an integration breaks", async () => {
  const practice = new Practice();
  const { organisationId, client, account } = practice;
  await practice.connect();
  const news: ProblemNews[] = [];
  const stop = client.onProblem((each) => {
    if (each.organisationId === organisationId) news.push(each);
  });
  await emulator("POST", `accounts/${account}/revoke`);
  await client.syncAfterMutation({ organisationId, appointment: appointment() }, { deadlineMs: 5_000 });
  await expect
    .poll(() => news[0], { timeout: 15_000 })
    .toMatchObject({ kind: "broken", reason: "RECONNECT_REQUIRED", days: 0 });
  stop();
  client.close();
});
