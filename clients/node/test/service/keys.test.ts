import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, expect, it } from "vitest";

import { CalendarClient } from "../../src/index.js";
import { createRouter } from "../../src/rest/index.js";
import { Running } from "./running.js";

const KEY = randomBytes(24).toString("hex");
const ORGANISATION = "cabinet-des-lilas";

let running: Running;
let folder: string;
let ca: string;
let address: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cassius-calendar-tls-"));
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
  await promisify(execFile)("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"],
    ...["-keyout", key, "-out", cert, ...subject],
  ]);
  ca = await readFile(cert, "utf8");
  const hash = createHash("sha256").update(KEY).digest("hex");
  running = await Running.begin({ TLS_CERT: cert, TLS_KEY: key, API_KEYS: `backend:${hash}:${ORGANISATION}` });
  address = running.addresses.calendar.replace("http:", "https:");
});
afterAll(async () => {
  await running.end();
  await rm(folder, { recursive: true, force: true });
});

async function outcome(client: CalendarClient, organisationId = ORGANISATION): Promise<unknown> {
  try {
    await client.integration.getStatus({ organisationId });
    return "answered";
  } catch (error) {
    return error;
  } finally {
    client.close();
  }
}

it("the right key over TLS is answered", async () => {
  expect(await outcome(new CalendarClient({ address, tls: { ca }, apiKey: KEY }))).toBe("answered");
});

it("no key, and a wrong one, are told as such", async () => {
  const refused = { code: "UNAUTHENTICATED", reason: "INVALID_API_KEY" };
  expect(await outcome(new CalendarClient({ address, tls: { ca } }))).toMatchObject(refused);
  expect(await outcome(new CalendarClient({ address, tls: { ca }, apiKey: "wrong" }))).toMatchObject(refused);
});

it("a key for another organisation is told as such", async () => {
  const client = new CalendarClient({ address, tls: { ca }, apiKey: KEY });
  expect(await outcome(client, "clinique-du-port")).toMatchObject({
    code: "PERMISSION_DENIED",
    reason: "ORGANISATION_NOT_ALLOWED",
  });
});

it("a certificate that nobody vouches for is not spoken to", async () => {
  expect(await outcome(new CalendarClient({ address, apiKey: KEY }))).toMatchObject({ reason: null });
});

it("a router with a wrong key is a bad gateway, and does not tell the key", async () => {
  const apiKey = randomBytes(24).toString("hex");
  const client = new CalendarClient({ address, tls: { ca }, apiKey });
  const failures: number[] = [];
  const router = createRouter({
    client,
    publicOrigin: "https://cassius.example",
    caller: () => ({ organisationId: ORGANISATION }),
    mayUse: () => true,
    onFailure: ({ status }) => failures.push(status),
  });
  const request = new Request("https://cassius.example/api/integrations/google/status");
  const answer = await router.respond(request);
  expect(answer.status).toBe(502);
  expect(await answer.text()).not.toContain(apiKey);
  expect(failures).toEqual([502]);
  client.close();
});
