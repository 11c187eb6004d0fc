import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage, type Server } from "node:http";
import { connect, type AddressInfo } from "node:net";

import express from "express";
import { afterEach, expect, it, vi } from "vitest";

import { googleIntegration } from "../../src/rest/express.js";
import { connectTo, newOrganisation } from "./service.js";

const client = connectTo();
let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

interface HostRequest {
  person?: { organisationId: string; isManager: boolean } | null;
}

async function hostAt(person: HostRequest["person"], parsesFirst = false): Promise<string> {
  const app = express();
  server = createServer(app);
  await new Promise<void>((listening) => server?.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  app.use((request, _, next) => {
    (request as HostRequest).person = person ?? null;
    next();
  });
  if (parsesFirst) app.use(express.json());
  app.use(
    googleIntegration({
      client,
      publicOrigin: origin,
      caller: (request) => (request as HostRequest).person ?? null,
      mayUse: ({ isManager }, route) => isManager || route === "status",
    }),
  );
  app.use((_, response) => void response.status(418).send("the host's own"));
  return `${origin}/api/integrations/google`;
}

const manager = () => ({ organisationId: newOrganisation(), isManager: true });
const json = (base: string) => ({ origin: new URL(base).origin, "content-type": "application/json" });

it("a page asks over a real connection", async () => {
  const base = await hostAt(manager());
  const answer = await fetch(`${base}/status`);
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({ status: { state: "not_connected" } });
});

it.each([false, true])("a body arrives, whether or not the host has parsed it before: %s", async (parsesFirst) => {
  const base = await hostAt(manager(), parsesFirst);
  const answer = await fetch(`${base}/preview`, {
    method: "POST",
    headers: json(base),
    body: JSON.stringify({ titlePrivacy: "masked" }),
  });
  expect(await answer.json()).toMatchObject({ event: { title: "[Cassius] Rendez-vous" } });
});

it("GET connect is the router's, and goes on to the host once the browser has its ticket", async () => {
  const base = await hostAt(manager());
  // Without the headers that Node's own `fetch` adds.
  const navigate = async (headers: Record<string, string>, query = "") => {
    const asked = httpRequest(`${base}/connect${query}`, { headers: { "sec-fetch-site": "none", ...headers } }).end();
    const [answer] = (await once(asked, "response")) as [IncomingMessage];
    answer.resume();
    return answer.statusCode;
  };
  // The service was asked to begin, and refuses to come back to a host that it does not know.
  expect(await navigate({})).toBe(400);
  expect(await navigate({ cookie: "cassius_calendar_connect=ticket" })).toBe(418);
  const cookie = "cassius_calendar_connect_0123456789abcdef=ticket";
  expect(await navigate({ cookie }, "?consent=0123456789abcdef")).toBe(418);
  expect(await navigate({ cookie }), "another consent's ticket is no obstacle").toBe(400);
});

it.each(["callback", "unknown"])("GET %s goes on to the host", async (route) => {
  const base = await hostAt(manager());
  expect((await fetch(`${base}/${route}`)).status).toBe(418);
});

it.each(["//", "///", "//evil.example/api/integrations/google/status", "http://evil.example/status", "/%"])(
  "%s, whatever it is, is the host's own",
  async (path) => {
    const base = new URL(await hostAt(manager()));
    const asked = httpRequest({ host: base.hostname, port: base.port, path, method: "GET" }).end();
    const [answer] = (await once(asked, "response")) as [IncomingMessage];
    answer.resume();
    expect(answer.statusCode).toBe(418);
  },
);

it("a method that no Request can have is refused", async () => {
  const base = new URL(await hostAt(manager()));
  const asked = httpRequest({
    host: base.hostname,
    port: base.port,
    path: `${base.pathname}/status`,
    method: "TRACE",
  }).end();
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  answer.resume();
  expect(answer.statusCode).toBe(405);
});

it("under a mount path, basePath is the whole path", async () => {
  const app = express();
  server = createServer(app);
  await new Promise<void>((listening) => server?.listen(0, "127.0.0.1", listening));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const basePath = "/cassius/api/integrations/google";
  const mayUse = () => true;
  app.use("/cassius", googleIntegration({ client, publicOrigin: origin, basePath, caller: manager, mayUse }));
  expect((await fetch(`${origin}${basePath}/status`)).status).toBe(200);
  const preview = await fetch(`${origin}${basePath}/preview`, { method: "POST", headers: json(origin), body: "{}" });
  expect(preview.status).toBe(200);
});

it("nobody signed in is 401, and nobody who may not is 403", async () => {
  expect((await fetch(`${await hostAt(null)}/status`)).status).toBe(401);
  const base = await hostAt({ organisationId: newOrganisation(), isManager: false });
  expect((await fetch(`${base}/status`)).status).toBe(200);
  expect((await fetch(`${base}/calendars`)).status).toBe(403);
});

it("another site's request changes nothing", async () => {
  const base = await hostAt(manager());
  const headers = { ...json(base), origin: "https://evil.example" };
  const answer = await fetch(`${base}/disconnect`, { method: "POST", headers, body: "{}" });
  expect(answer.status).toBe(403);
});

it("the stream of events is closed at the service when the browser leaves", async () => {
  const watch = vi.spyOn(client.integration, "watchStatus");
  const base = await hostAt(manager());
  const browser = new AbortController();
  const answer = await fetch(`${base}/events`, { signal: browser.signal });
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("event: status")) text += (await reader?.read())?.value ?? "";
  const signal = watch.mock.calls[0]?.[1]?.signal;
  expect(signal?.aborted).toBe(false);
  const closed = new Promise((resolve) => signal?.addEventListener("abort", resolve));
  browser.abort();
  await closed;
});

it.each([
  ["it is too large", "application/json", 413],
  ["it is no JSON", "text/plain", 415],
])("a connection goes on after an upload that was refused since %s", async (_, mediaType, status) => {
  const base = await hostAt(manager());
  const { host, port, pathname, origin } = new URL(base);
  const socket = connect(Number(port), "127.0.0.1");
  let received = "";
  socket.once("error", () => undefined);
  socket.setEncoding("utf8").on("data", (text: string) => (received += text));
  const statuses = () => received.match(/HTTP\/1\.1 \d{3}/g) ?? [];
  const body = "x".repeat(4_000_000);
  const head = `Host: ${host}\r\nOrigin: ${origin}\r\nContent-Type: ${mediaType}\r\n`;
  socket.write(`POST ${pathname}/preview HTTP/1.1\r\n${head}Content-Length: ${body.length}\r\n\r\n${body}`);
  socket.write(`GET ${pathname}/status HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  await expect.poll(statuses, { timeout: 5_000 }).toEqual([`HTTP/1.1 ${status}`, "HTTP/1.1 200"]);
  socket.destroy();
});

it("HEAD is answered as GET is, without its body", async () => {
  const base = await hostAt(manager());
  for (const route of ["status", "events"]) {
    const [head, get] = await Promise.all([fetch(`${base}/${route}`, { method: "HEAD" }), fetch(`${base}/${route}`)]);
    expect([head.status, await head.text()]).toEqual([200, ""]);
    expect(head.headers.get("content-type")).toBe(get.headers.get("content-type"));
    await get.body?.cancel();
  }
  const wrong = await fetch(`${base}/retry`, { method: "HEAD" });
  expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "POST"]);
  expect((await fetch(`${base}/status`, { method: "PUT", headers: json(base) })).headers.get("allow")).toBe(
    "GET, HEAD",
  );
});
