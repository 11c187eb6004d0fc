import { afterAll, beforeAll, expect, it } from "vitest";

import { CalendarClient } from "../../src/index.js";
import { createRouter } from "../../src/rest/index.js";
import { Running } from "./running.js";
import { appointment, newOrganisation } from "./service.js";

let running: Running;
beforeAll(async () => {
  running = await Running.begin();
});
afterAll(() => running.end());

it("while the service is away pages are told so, mutations go on, and its return brings everything back", async () => {
  const organisationId = newOrganisation();
  const client = new CalendarClient({ address: running.addresses.calendar });
  const publicOrigin = running.addresses.sidecar;
  const router = createRouter({ client, publicOrigin, caller: () => ({ organisationId }), mayUse: () => true });
  const ask = (route: string) =>
    router.respond(new Request(`${publicOrigin}/api/integrations/google/${route}`, { signal: browser.signal }));
  const browser = new AbortController();
  const stream = (await ask("events")).body?.pipeThrough(new TextDecoderStream()).getReader();
  const next = async (event: string) => {
    let text = "";
    while (!text.includes(`event: ${event}\n`)) text += (await stream?.read())?.value ?? "";
    return text;
  };
  await next("status");
  await running.stop();

  expect(await next("unavailable")).toContain('"reason":"SERVICE_UNAVAILABLE"');
  const answer = await ask("status");
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ reason: "SERVICE_UNAVAILABLE" });
  const lost = appointment();
  const delivery = await client.syncAfterMutation({ organisationId, appointment: lost });
  expect(delivery).toMatchObject({ delivered: false, error: { code: "UNAVAILABLE" } });

  await running.start();
  await next("status");
  expect((await ask("status")).status).toBe(200);
  const found: string[] = [];
  const kept = { list: () => [lost], load: () => Promise.resolve([lost]) };
  for await (const { appointmentId, outcome } of client.reconcile({ organisationId, period: null, ...kept })) {
    found.push(`${appointmentId} ${outcome}`);
  }
  expect(found).toEqual([`${lost.appointmentId} sent`]);
  browser.abort();
  client.close();
}, 60_000);
