/**
 * Starts the service in dev mode, the emulated Google that comes with it, and the demo, and prints one address.
 * Ctrl-C ends all of it; what they keep is in `.data/`.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const binary = process.env.CASSIUS_CALENDAR_BINARY ?? here("../../../target/debug/cassius-calendar");
const say = (line) => process.stdout.write(`${line}\n`);

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
};

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

const demo = spawn(process.execPath, [here("../dist/server/main.js")], { env: environment, stdio: "inherit" });
const demoEnded = once(demo, "exit");

say(`
  Cassius    ${origin}
             choose a person, then Paramètres, Intégrations, Google Calendar; then make a RDV in the Agenda
  Google     http://${google}/calendar   (emulated: the events arrive here)

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
