/** What a connection goes through that breaks, hangs, or is never made: against bare servers, with no service behind. */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { Worker } from "node:worker_threads";

import { expect, it } from "vitest";

import { failure } from "../failure.js";
import { client, ends, listening, mute, refuse, served } from "./bare.js";

/** A key and a certificate for it that nobody vouches for. */
function certificate(): string {
  const args =
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost -keyout - -out -";
  const names = ["-addext", "subjectAltName=DNS:localhost"];
  return execFileSync("openssl", [...args.split(" "), ...names], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
}

const one = { organisationId: "cabinet", period: null, load: () => Promise.resolve([]) };
const listed = { ...one, list: () => [{ appointmentId: "rdv", revision: 1 }] };
const endless = {
  ...one,
  list: async function* () {
    for (let revision = 1; ; revision += 1) {
      yield { appointmentId: `rdv ${revision}`, revision };
      await new Promise((next) => setImmediate(next));
    }
  },
};

it("a peer that hangs fails the calls, one after the other, and nothing else", async () => {
  const { port } = await mute();
  const calendar = client(`http://127.0.0.1:${port}`, { pingIntervalMs: 50, pingTimeoutMs: 50 });
  // The second begins in the very turn in which the first fails: an error of the connection that nobody listens to
  // would end the process, and fails this run.
  for (let turn = 0; turn < 3; turn += 1) {
    expect((await failure(calendar.reconcile(listed).next())).code).toBe("UNAVAILABLE");
  }
});

it("a connection that is never made is given up, and the next call begins another", async () => {
  const { port, connections } = await mute();
  const calendar = client(`https://127.0.0.1:${port}`, { connectTimeoutMs: 50, retry: { retries: 0 } });
  for (const wanted of [1, 2]) {
    expect((await failure(calendar.integration.getStatus({ organisationId: "cabinet" }))).code).toBe("UNAVAILABLE");
    await expect.poll(connections).toBe(wanted);
  }
  expect((await failure(calendar.reconcile(listed).next())).code).toBe("UNAVAILABLE");
});

it("a call whose connection is closed under it is made again", async () => {
  const { port, streams, cut } = await served((stream, nth) => (nth === 1 ? cut() : refuse(stream)));
  const calendar = client(`http://127.0.0.1:${port}`);
  expect((await failure(calendar.integration.getStatus({ organisationId: "cabinet" }))).code).toBe(
    "FAILED_PRECONDITION",
  );
  expect(streams()).toBe(2);
});

it("whoever takes a port for another kind is told so", async () => {
  const pem = certificate();
  const options = { key: pem, cert: pem, ALPNProtocols: ["h2"] };
  const secure = await listening(createTlsServer(options, (socket) => void socket.on("error", () => undefined)));
  const plain = await listening(createServer((socket) => void socket.on("error", () => undefined).end()));
  const resetting = await listening(
    createServer((socket) => void socket.on("error", () => undefined).once("data", () => socket.resetAndDestroy())),
  );
  const said = async (address: string) => {
    const calendar = client(address, { retry: { retries: 0 } });
    return (await failure(calendar.integration.getStatus({ organisationId: "cabinet" }))).message;
  };
  expect(await said(`http://127.0.0.1:${secure}`)).toMatch(/is its port one for https:\/\//);
  expect(await said(`https://127.0.0.1:${plain}`)).toMatch(/is its port one for http:\/\//);
  expect(await said(`https://127.0.0.1:${resetting}`)).toMatch(/is its port one for http:\/\/.*ECONNRESET/);
  expect(await said(`https://localhost:${secure}`)).toMatch(/tls\.ca names an authority of your own/);
  expect(await said("http://127.0.0.1:1"), "where nobody listens, Node says all there is").toMatch(
    /^connect ECONNREFUSED/,
  );
});

it.each([
  [null, "request"],
  [{ organisationId: 7 }, "organisation_id"],
  [{ settings: { titlePrivacy: "masked" } }, "settings.title_privacy"],
  [{ settings: { titlePrivacy: 2 ** 40 } }, "settings.title_privacy"],
  [{ settings: { isEnabled: "yes" }, updateMask: { paths: "is_enabled" } }, "settings.is_enabled,update_mask.paths"],
])("what the wire has no form for is refused by its field: %j", async (request, fields) => {
  const calendar = client("http://127.0.0.1:1");
  const { code, violations } = await failure(calendar.integration.updateSettings(request as never));
  expect([code, violations.map(({ field }) => field).join()]).toEqual(["INVALID_ARGUMENT", fields]);
});

it("so is a size that the wire has no room for", async () => {
  const calendar = client("http://127.0.0.1:1");
  for (const pageSize of [2 ** 31, -(2 ** 31) - 1, Number.NaN, 1.5]) {
    const asked = calendar.appointments.listAppointmentLinks({ organisationId: "cabinet", pageSize });
    const { code, violations } = await failure(asked);
    expect([code, violations.map(({ field }) => field).join()]).toEqual(["INVALID_ARGUMENT", "page_size"]);
  }
});

it("a call that the server never looked at is made again", async () => {
  const { port, streams } = await served((stream, nth) => (nth === 1 ? stream.close(7) : refuse(stream)));
  const calendar = client(`http://127.0.0.1:${port}`);
  expect((await failure(calendar.integration.getStatus({ organisationId: "cabinet" }))).code).toBe(
    "FAILED_PRECONDITION",
  );
  expect(streams()).toBe(2);
});

it("a stream whose connection goes away ends as unavailable", async () => {
  const { port, cut } = await served(() => cut());
  const calendar = client(`http://127.0.0.1:${port}`);
  const watching = calendar.integration.watchStatus({ organisationId: "cabinet" })[Symbol.asyncIterator]();
  expect((await failure(watching.next())).code).toBe("UNAVAILABLE");
  expect((await failure(calendar.reconcile(endless).next())).code).toBe("UNAVAILABLE");
});

it("who leaves a reconciliation half way is told that it was called off", async () => {
  const leaving = new AbortController();
  const { port } = await served(() => leaving.abort());
  const calendar = client(`http://127.0.0.1:${port}`);
  const left = calendar.reconcile({ ...endless, signal: leaving.signal }).next();
  expect((await failure(left)).code).toBe("CANCELLED");
});

it("what the host's list throws is thrown on as it is, and its list is closed", async () => {
  const { port } = await served(() => undefined);
  const calendar = client(`http://127.0.0.1:${port}`);
  const broken = new Error("the cursor is gone");
  let isClosed = false;
  const list = function* () {
    try {
      yield { appointmentId: "rdv", revision: 1 };
      throw broken;
    } finally {
      isClosed = true;
    }
  };
  await expect(calendar.reconcile({ ...one, list }).next()).rejects.toBe(broken);
  expect(isClosed).toBe(true);
});

it.each([Number.NaN, 0, -1, 1.5, Infinity])("a batch of %s is refused with the field", async (batchSize) => {
  const calendar = client("http://127.0.0.1:1");
  const { code, violations } = await failure(calendar.reconcile({ ...listed, batchSize }).next());
  expect([code, violations[0]?.field]).toEqual(["INVALID_ARGUMENT", "batchSize"]);
});

it("what was delivered while the event loop was blocked is told as delivered", async () => {
  const peer = new Worker(new URL("peer.mjs", import.meta.url));
  ends.push(() => void peer.terminate());
  const [port] = (await once(peer, "message")) as [number];
  const calendar = client(`http://127.0.0.1:${port}`);
  const appointment = { appointmentId: "rdv", revision: 1, state: "cancelled" } as const;
  const deliver = (deadlineMs: number) =>
    calendar.syncAfterMutation({ organisationId: "cabinet", appointment }, { deadlineMs });
  expect(await deliver(5_000)).toMatchObject({ delivered: true });
  const delivery = deliver(100);
  // Long enough for the request to have left, and not long enough for its answer.
  await once(peer, "message");
  const until = performance.now() + 400;
  while (performance.now() < until);
  expect(await delivery).toMatchObject({ delivered: true });
});

it.each([undefined, Number.NaN, Infinity])("a deadline of %s leaves time to deliver", async (ms) => {
  const { port } = await served(refuse);
  const calendar = client(`http://127.0.0.1:${port}`);
  const appointment = { appointmentId: "rdv", revision: 1, state: "cancelled" } as const;
  const wanted = { deadlineMs: ms } as { deadlineMs: number };
  const delivery = await calendar.syncAfterMutation({ organisationId: "cabinet", appointment }, wanted);
  expect(delivery).toMatchObject({ delivered: false, error: { code: "FAILED_PRECONDITION" } });
});

it("a client that was closed opens no connection any more", async () => {
  const { port, streams } = await served(() => undefined);
  const calendar = client(`http://127.0.0.1:${port}`);
  calendar.close();
  const { code, message } = await failure(calendar.integration.getStatus({ organisationId: "cabinet" }));
  expect([code, message]).toEqual(["FAILED_PRECONDITION", "the client was closed"]);
  expect(streams()).toBe(0);
});
