/**
 * Builds what has changed, starts the service in dev mode with its emulated Google, and the demo, and prints one address
 * and how to bring trouble about. Ctrl-C ends all of it; what they keep is in `.data/`.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const binary = process.env.CASSIUS_CALENDAR_BINARY ?? here("../../../target/debug/cassius-calendar");
const say = (line) => process.stdout.write(`${line}\n`);
// Those of `make demo`, which has built the service.
const stepsBefore = Number(process.env.STEPS_BEFORE ?? 0);
const tellStep = (nth, words) => say(`${stepsBefore + nth}/${stepsBefore + 3}  ${words}`);

tellStep(1, "pages and packages");
await buildIfChanged();

// The usual port, so that the address stays the same from one day to the next; any other where it is taken.
const cassius = process.env.PORT ?? (await portNear(3000));
const google = `127.0.0.1:${await portNear(8090)}`;
const grpc = process.env.GRPC_ADDR ?? `127.0.0.1:${await portNear(0)}`;
const sidecar = process.env.HTTP_ADDR ?? `127.0.0.1:${await portNear(0)}`;
const origin = `http://127.0.0.1:${cassius}`;
const environment = {
  LOG: "warn",
  ...process.env,
  PORT: String(cassius),
  GRPC_ADDR: grpc,
  HTTP_ADDR: sidecar,
  CALENDAR_ADDRESS: `http://${grpc}`,
  SIDECAR_URL: `http://${sidecar}`,
  // One origin for all: the demo forwards the sidecar's two paths.
  PUBLIC_URL: origin,
  CASSIUS_APP_URL: origin,
  // As in production: the ticket travels in the cookie alone.
  TICKET_IN_URL: "false",
  GOOGLE_CALENDAR_URL: `http://${google}/calendar`,
  SAMPLE_RDVS: "true",
};

tellStep(2, "calendar service and emulated Google");

const service = spawn(binary, ["dev", "--folder", here("../.data/service"), "--emulator-addr", google], {
  env: environment,
  stdio: ["ignore", "pipe", "inherit"],
});
const serviceEnded = once(service, "exit");
const isServing = (async () => {
  let said = "";
  for await (const chunk of service.stdout) {
    said += String(chunk);
    if (said.includes("Ctrl-C ends it")) return true;
  }
  return false;
})();
if (!(await isServing)) {
  say("The service did not start; it has said why above.");
  process.exit(1);
}
service.stdout.resume();

tellStep(3, "Cassius");
const demo = spawn(process.execPath, [here("../dist/server/main.js")], {
  env: environment,
  stdio: ["ignore", "pipe", "inherit"],
});
const demoEnded = once(demo, "exit");
// Its first line says that it listens: an address that is told is one that answers.
demo.stdout.pipe(process.stdout);
await Promise.race([once(demo.stdout, "data"), demoEnded]);

say(`
  Cassius    ${origin}
             choose a person, then Paramètres, Intégrations, Google Calendar; then make a RDV in the Agenda
  Google     http://${google}/calendar   (emulated: the events arrive here)

  To see how trouble looks: the buttons at http://${google}/, or in another terminal:
    access withdrawn     curl -X POST http://${google}/emulator/accounts/accueil@cabinet-des-lilas.example/revoke
    a RDV refused        ${fault({ times: 2, fault: { kind: "error", code: 400, reason: "invalid" } })}
    patience asked for   ${fault({ fault: { kind: "error", code: 403, reason: "rateLimitExceeded", retry_after_seconds: 60 } })}
    … and all well       curl -X DELETE http://${google}/emulator/faults
    calendar deleted     curl -X DELETE http://${google}/emulator/calendars/<its id, from the settings page>
    service stopped      kill -STOP ${service.pid}   … and back: kill -CONT ${service.pid}

  Ctrl-C ends it.
`);

const end = () => {
  demo.kill("SIGTERM");
  service.kill("SIGTERM");
};
process.on("SIGINT", end);
process.on("SIGTERM", end);
// Whichever ends first takes the other along; ending by itself is a failure.
const [code] = await Promise.race([serviceEnded, demoEnded]);
process.exitCode = code ?? 0;
end();
await Promise.all([serviceEnded, demoEnded]);

/** The line that makes the next new events go wrong. The service asks twice before it takes an event as refused. */
function fault(wanted) {
  const body = JSON.stringify({ operation: "events.insert", ...wanted });
  return `curl -H content-type:application/json -d '${body}' http://${google}/emulator/faults`;
}

/** Builds the packages and the pages, unless nothing has changed since they were built. */
async function buildIfChanged() {
  const mark = here("../dist/.built");
  const sources = ["../../node/src", "../../react/src", "../src", "../../../proto", "../../package-lock.json"];
  const built = await stat(mark).catch(() => null);
  const times = await Promise.all(sources.map((path) => newestIn(here(path))));
  if (built !== null && Math.max(...times) <= built.mtimeMs) return;
  const begun = new Date();
  const build = spawn("npm", ["run", "--silent", "build"], {
    cwd: here("../.."),
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [said, [code]] = await Promise.all([text(build.stdout), once(build, "exit")]);
  if (code !== 0) {
    say(said);
    process.exit(code ?? 1);
  }
  await mkdir(here("../dist"), { recursive: true });
  await writeFile(mark, begun.toISOString());
}

/** When anything in a folder last changed, but for what the build itself writes there. */
async function newestIn(path) {
  const { mtimeMs } = await stat(path);
  const names = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = names.filter((entry) => entry.isFile() && !/\/gen(\/|$)/.test(entry.parentPath));
  const times = await Promise.all(files.map(async (file) => (await stat(`${file.parentPath}/${file.name}`)).mtimeMs));
  return Math.max(files.length > 0 ? 0 : mtimeMs, ...times);
}

/** A port to listen on: this one, or another if it is taken. */
async function portNear(port) {
  const server = createServer();
  server.listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return portNear(0);
  }
  const { port: free } = server.address();
  server.close();
  await once(server, "close");
  return free;
}
