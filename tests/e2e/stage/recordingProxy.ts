/**
 * What stands between the browser and the demo, and keeps every byte that passes, so that a test can look for what must
 * never reach a browser: bodies, streams of status, headers, cookies, addresses.
 *
 * It changes nothing and understands nothing.
 */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** The way to one port of this machine. */
export class RecordingProxy {
  readonly #toBrowser: Buffer[] = [];
  readonly #fromBrowser: Buffer[] = [];
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;

  /** Listens on a free port and passes everything on to `port`. */
  static async open(port: number): Promise<RecordingProxy> {
    const proxy = new RecordingProxy();
    const server = createServer((browser) => {
      const demo = connect(port, "127.0.0.1");
      for (const [from, to, kept] of [
        [browser, demo, proxy.#fromBrowser],
        [demo, browser, proxy.#toBrowser],
      ] as const) {
        proxy.#sockets.add(from);
        from.on("data", (bytes: Buffer) => kept.push(bytes));
        // A page that is left cuts its connections: that is no fault.
        from.on("error", () => to.destroy());
        from.on("close", () => proxy.#sockets.delete(from));
        from.pipe(to);
      }
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    proxy.#server = server;
    proxy.#port = (server.address() as AddressInfo).port;
    return proxy;
  }

  /** The origin that the browser sees. */
  get origin(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Everything that the browser was sent. */
  get received(): string {
    return text(this.#toBrowser);
  }

  /** Everything that the browser sent. */
  get sent(): string {
    return text(this.#fromBrowser);
  }

  /** Cuts all connections. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server?.close();
    if (this.#server) await once(this.#server, "close");
  }
}

// Without the frames of chunked bodies, which could stand in the middle of a word.
function text(kept: Buffer[]): string {
  return Buffer.concat(kept)
    .toString("latin1")
    .replace(/\r\n[0-9a-f]+\r\n/g, "");
}
