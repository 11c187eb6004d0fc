/**
 * Starts the demo, and ends it cleanly.
 */
import { createServer } from "node:http";

import { CalendarClient } from "@cassius/calendar-client";

import { createApplication } from "./application.js";
import { openDatabase } from "./database.js";
import { Erasures } from "./erasures.js";
import { Reconciliations } from "./reconciliations.js";
import { log } from "./log.js";
import { Rdvs } from "./rdvs.js";
import { addSamples } from "./samples.js";
import { Sessions } from "./session.js";
import { readSettings } from "./settings.js";

const settings = readSettings(process.env);
const database = openDatabase(settings.DATA_DIR);
const rdvs = new Rdvs(database);
const erasures = new Erasures(database);
if (settings.SAMPLE_RDVS) addSamples(rdvs, new Date());
const client = new CalendarClient({
  address: settings.CALENDAR_ADDRESS,
  ...(settings.CALENDAR_API_KEY !== undefined && { apiKey: settings.CALENDAR_API_KEY }),
  onUndelivered: ({ organisationId, error }) => {
    log("a RDV is to be delivered later", { "organisation.id": organisationId, code: error.code });
    reconciliations.hurry();
  },
});
const reconciliations = new Reconciliations({
  client,
  rdvs,
  erasures,
  publicUrl: settings.PUBLIC_URL,
  everyMs: settings.RECONCILE_SECONDS * 1000,
});
const sessions = new Sessions(database, settings.PUBLIC_URL);
const onConnected = (organisationId: string) => {
  erasures.end(organisationId);
  reconciliations.restart(organisationId);
};
const onErasing = async (organisationId: string) => {
  erasures.add(organisationId);
  await reconciliations.leave(organisationId);
};
const parts = { settings, client, rdvs, erasures, sessions, onConnected, onErasing };
const server = createServer(createApplication(parts));

server.once("error", (error: NodeJS.ErrnoException) => {
  log("cannot listen", { host: settings.HOST, port: settings.PORT, code: error.code ?? "unknown" });
  process.exit(1);
});
server.listen(settings.PORT, settings.HOST, () => {
  reconciliations.begin();
  log(`Cassius (demo) is at ${settings.PUBLIC_URL}`);
});

// Ctrl-C reaches the demo twice when a script started it: from the terminal, and from the script.
let isEnding = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    if (isEnding) return;
    isEnding = true;
    reconciliations.end();
    server.close();
    // The streams of status would hold the server open.
    server.closeAllConnections();
    client.close();
    database.close();
  });
}
