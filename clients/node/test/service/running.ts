/**
 * Starts the real service in its dev mode: SQLite in a folder of its own, Google on loopback, free ports.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const BINARY =
  process.env["CASSIUS_CALENDAR_BINARY"] ??
  fileURLToPath(new URL("../../../../target/debug/cassius-calendar", import.meta.url));

/** Where a running service is reached. */
export interface Addresses {
  /** gRPC. */
  calendar: string;
  /** The sidecar; also the origin that the service takes for its host's. */
  sidecar: string;
  /** The emulated Google. */
  google: string;
}

/** A service with a folder and ports of its own, which may be stopped and started again. */
export class Running {
  #child: ReturnType<typeof spawn> | undefined;

  private constructor(
    readonly addresses: Addresses,
    /** Where it keeps its state, and the emulated Google its own. */
    readonly folder: string,
    private readonly ports: readonly [number, number, number],
    private readonly settings: Record<string, string>,
  ) {}

  /** Starts a service that is new, with settings beside those of dev. */
  static async begin(settings: Record<string, string> = {}): Promise<Running> {
    const running = await Running.place(settings);
    await running.start();
    return running;
  }

  /** The same, not started yet: its addresses are known. */
  static async place(settings: Record<string, string> = {}): Promise<Running> {
    const ports = [await freePort(), await freePort(), await freePort()] as const;
    const [calendar, sidecar, google] = ports.map((port) => `http://127.0.0.1:${port}`) as [string, string, string];
    const folder = await mkdtemp(join(tmpdir(), "cassius-calendar-test-"));
    return new Running({ calendar, sidecar, google }, folder, ports, settings);
  }

  /** Starts it, and waits until it serves. */
  async start(): Promise<void> {
    const [grpc, http, google] = this.ports;
    const child = spawn(BINARY, ["dev", "--folder", this.folder, "--emulator-addr", `127.0.0.1:${google}`], {
      stdio: ["ignore", "pipe", "inherit"],
      env: {
        ...process.env,
        GRPC_ADDR: `127.0.0.1:${grpc}`,
        HTTP_ADDR: `127.0.0.1:${http}`,
        PUBLIC_URL: this.addresses.sidecar,
        CASSIUS_APP_URL: this.addresses.sidecar,
        // As in production: the ticket travels in the cookie alone.
        TICKET_IN_URL: "false",
        LOG: "error",
        ...this.settings,
      },
    });
    this.#child = child;
    const ended = once(child, "exit").then(([code]) => {
      throw new Error(`the service ended before it served, with ${String(code)}`);
    });
    const serves = (async () => {
      let said = "";
      for await (const chunk of child.stdout) {
        said += String(chunk);
        if (said.includes("Ctrl-C ends it")) return;
      }
    })();
    await Promise.race([serves, ended]);
    ended.catch(() => undefined);
    child.stdout.resume();
  }

  /** Has it say nothing more, and take nothing, with its connections open: as a machine does that hangs. `thaw` ends it. */
  freeze(): void {
    this.#child?.kill("SIGSTOP");
  }

  /** Has it go on. */
  thaw(): void {
    this.#child?.kill("SIGCONT");
  }

  /** Stops it; its state stays. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const child = this.#child;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill(signal);
    await gone;
  }

  /** Stops it and takes its state away. */
  async end(signal?: NodeJS.Signals): Promise<void> {
    await this.stop(signal);
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
