/** What a connection goes through that breaks, hangs, or is never made: against bare servers, with no service behind. */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { createServer as createHttp2Server, type ServerHttp2Stream, type Settings } from "node:http2";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { Worker } from "node:worker_threads";

import { afterEach, expect, it } from "vitest";

import { CalendarClient, type CalendarClientOptions } from "../../src/index.js";
import { failure } from "../failure.js";

const ends: (() => void)[] = [];
afterEach(() => ends.splice(0).forEach((end) => end()));

async function listening(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ends.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** A peer that takes connections and says nothing; tells how many it has. */
async function mute(): Promise<{ port: number; connections: () => number }> {
  let connections = 0;
  const port = await listening(
    createServer((socket) => {
      connections += 1;
      socket.on("error", () => undefined);
      ends.push(() => socket.destroy());
    }),
  );
  return { port, connections: () => connections };
}

/** A gRPC server of which each stream is handed to `serve`, behind a wire that can be cut. */
async function served(serve: (stream: ServerHttp2Stream, nth: number, path: string) => void, settings: Settings = {}) {
  let streams = 0;
  const server = createHttp2Server({ settings });
  server.on("stream", (stream, headers) => {
    stream.on("error", () => undefined).resume();
    serve(stream, ++streams, headers[":path"] ?? "");
  });
  const behind = await listening(server);
  const sockets: Socket[] = [];
  const port = await listening(
    createServer((socket) => {
      sockets.push(socket);
      const onward = connect(behind, "127.0.0.1");
      for (const end of [socket, onward]) end.on("error", () => undefined);
      socket.pipe(onward).pipe(socket);
      ends.push(() => [socket, onward].forEach((end) => end.destroy()));
    }),
  );
  return {
    port,
    streams: () => streams,
    connections: () => sockets.length,
    cut: () => sockets.at(-1)?.end(),
    // As when a NAT forgets the connection: nothing is refused, and nothing arrives.
    swallow: (nth = sockets.length) => sockets[nth - 1]?.unpipe().resume(),
  };
}

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

const refuse = (stream: ServerHttp2Stream) =>
  stream.respond(
    { ":status": 200, "content-type": "application/grpc", "grpc-status": "9", "grpc-message": "served" },
    { endStream: true },
  );

function client(address: string, options: Partial<CalendarClientOptions> = {}): CalendarClient {
  const made = new CalendarClient({ address, ...options });
  ends.push(() => made.close());
  return made;
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

it("a connection that goes deaf under steady calls is left, and the calls go on over another", async () => {
  const { port, connections, swallow } = await served(refuse);
  const times = { pingIntervalMs: 200, pingTimeoutMs: 200, retry: { retries: 0 } };
  const calendar = client(`http://127.0.0.1:${port}`, times);
  let latest = "";
  // Many calls at once, each of which gives up before the peer is: the end of a stream must not end the watching.
  const calls = setInterval(() => {
    void failure(calendar.integration.getStatus({ organisationId: "cabinet" }, { timeoutMs: 150 })).then(
      ({ code }) => (latest = code),
    );
  }, 10);
  ends.push(() => clearInterval(calls));
  const soon = { timeout: 5_000, interval: 10 };
  await expect.poll(() => latest, soon).toBe("FAILED_PRECONDITION");
  swallow();
  await expect.poll(() => latest, soon).toBe("DEADLINE_EXCEEDED");
  await expect.poll(() => latest, soon).toBe("FAILED_PRECONDITION");
  expect(connections()).toBe(2);
});

it("so is one that goes deaf while nothing is said over it", async () => {
  const { port, connections, swallow } = await served(refuse);
  const times = { pingIntervalMs: 50, pingTimeoutMs: 200 };
  const calendar = client(`http://127.0.0.1:${port}`, times);
  const call = () => failure(calendar.integration.getStatus({ organisationId: "cabinet" }));
  expect((await call()).code).toBe("FAILED_PRECONDITION");
  swallow();
  await new Promise((rested) => setTimeout(rested, times.pingIntervalMs));
  // The call is made again by itself once the first connection is given up.
  expect((await call()).code).toBe("FAILED_PRECONDITION");
  expect(connections()).toBe(2);
});

it("so is one that goes deaf after its peer has said that it goes away, under a stream that is still open", async () => {
  const open = { ":status": 200, "content-type": "application/grpc" };
  const { port, connections, swallow } = await served((stream, nth) => {
    if (nth > 1) {
      refuse(stream);
      return;
    }
    stream.respond(open);
    stream.session?.goaway(0, stream.id);
  });
  const calendar = client(`http://127.0.0.1:${port}`, { pingIntervalMs: 50, pingTimeoutMs: 200 });
  const watching = calendar.integration.watchStatus({ organisationId: "cabinet" })[Symbol.asyncIterator]();
  const ended = failure(watching.next());
  // Another stream goes over another connection once the farewell has arrived.
  const isLeft = async () => {
    await failure(calendar.reconcile(listed).next());
    return connections() > 1;
  };
  await expect.poll(isLeft, { timeout: 5_000, interval: 10 }).toBe(true);
  swallow(1);
  expect((await ended).code).toBe("UNAVAILABLE");
});

it("however many streams are open, a mutation is delivered", async () => {
  const open = { ":status": 200, "content-type": "application/grpc" };
  const watched = (path: string) => path.endsWith("/WatchStatus");
  const { port, streams } = await served((stream, _, path) => (watched(path) ? stream.respond(open) : refuse(stream)), {
    maxConcurrentStreams: 512,
  });
  const calendar = client(`http://127.0.0.1:${port}`);
  for (let page = 0; page < 520; page += 1) {
    const watching = calendar.integration.watchStatus({ organisationId: "cabinet" })[Symbol.asyncIterator]();
    void watching.next().catch(() => undefined);
  }
  await expect.poll(streams, { timeout: 5_000, interval: 10 }).toBe(512);
  const appointment = { appointmentId: "rdv", revision: 1, state: "cancelled" } as const;
  const delivery = await calendar.syncAfterMutation({ organisationId: "cabinet", appointment });
  expect(delivery, "the peer has answered").toMatchObject({ error: { code: "FAILED_PRECONDITION" } });
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
