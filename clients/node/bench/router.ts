/**
 * What the router adds to a call: the same status asked over gRPC, through the router, and through Express on a real
 * connection, in turn. Run with `npm run bench`.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import express from "express";

import { CalendarClient } from "../src/index.js";
import { googleIntegration } from "../src/rest/express.js";
import { createRouter } from "../src/rest/index.js";
import { Running } from "../test/service/running.js";

const ROUNDS = 1_000;
const WARM_UP = 200;

const running = await Running.begin();
const client = new CalendarClient({ address: running.addresses.calendar });
const organisationId = "bench";
const caller = () => ({ organisationId });
const mayUse = () => true;

const app = express();
const server = createServer(app).listen(0, "127.0.0.1");
await once(server, "listening");
const publicOrigin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
app.use(googleIntegration({ client, publicOrigin, caller, mayUse }));
const router = createRouter({ client, publicOrigin, caller, mayUse });
const url = `${publicOrigin}/api/integrations/google/status`;

const ways: Record<string, () => Promise<unknown>> = {
  "gRPC alone": () => client.integration.getStatus({ organisationId }),
  "through the router": async () => (await router.respond(new Request(url))).text(),
  "through Express, over HTTP": async () => (await fetch(url)).text(),
};
const taken = new Map(Object.keys(ways).map((way) => [way, [] as number[]]));
for (let round = 0; round < ROUNDS + WARM_UP; round += 1) {
  for (const [way, ask] of Object.entries(ways)) {
    const begun = performance.now();
    await ask();
    if (round >= WARM_UP) taken.get(way)?.push(performance.now() - begun);
  }
}
for (const [way, times] of taken) {
  times.sort((a, b) => a - b);
  process.stdout.write(`${way}: p50 ${times[Math.floor(times.length / 2)]?.toFixed(2) ?? "?"} ms\n`);
}

client.close();
server.closeAllConnections();
server.close();
await running.end();
