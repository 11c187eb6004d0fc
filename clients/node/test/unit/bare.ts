/** Bare peers for a client: servers of TCP and of HTTP/2 with no service behind, and a wire between that can be cut. */
import { once } from "node:events";
import {
  createServer as createHttp2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
  type Settings,
} from "node:http2";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

import { afterEach } from "vitest";

import { CalendarClient, type CalendarClientOptions } from "../../src/index.js";

/** What ends with the test. */
export const ends: (() => void)[] = [];
afterEach(() => ends.splice(0).forEach((end) => end()));

/** The port of a server that ends with the test. */
export async function listening(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ends.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** A peer that takes connections and says nothing; tells how many it has. */
export async function mute(): Promise<{ port: number; connections: () => number }> {
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
export async function served(
  serve: (stream: ServerHttp2Stream, nth: number, path: string, headers: IncomingHttpHeaders) => void,
  settings: Settings = {},
) {
  let streams = 0;
  const server = createHttp2Server({ settings });
  server.on("stream", (stream, headers) => {
    stream.on("error", () => undefined).resume();
    serve(stream, ++streams, headers[":path"] ?? "", headers);
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

/** Answers a call at once, in a way that no call is made again after. */
export const refuse = (stream: ServerHttp2Stream) =>
  stream.respond(
    { ":status": 200, "content-type": "application/grpc", "grpc-status": "9", "grpc-message": "served" },
    { endStream: true },
  );

/** A client that ends with the test. */
export function client(address: string, options: Partial<CalendarClientOptions> = {}): CalendarClient {
  const made = new CalendarClient({ address, ...options });
  ends.push(() => made.close());
  return made;
}
