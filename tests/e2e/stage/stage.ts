/**
 * The product as a person meets it: the service with its emulated Google, the demo in front of it, and a browser.
 *
 * Every stage has a folder, ports and pages of its own. Its end holds what is true of every story: no page failed, no
 * request left this machine, and no token came near the browser.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";

import { freePort, Running } from "../../../clients/node/test/service/running.js";
import { Google } from "./google.js";
import { leaksIn, namesToken, type Place } from "./leaks.js";
import { Person } from "./person.js";
import { RecordingProxy } from "./recordingProxy.js";

const DEMO = fileURLToPath(new URL("../../../clients/demo/dist/server/main.js", import.meta.url));
const PICTURES = fileURLToPath(new URL("../screenshots/", import.meta.url));

/** A stage, set. */
export class Stage {
  /** What the pages logged as errors or threw. */
  readonly faults: string[] = [];
  /** Where the pages stood, and what they asked for. */
  readonly #addresses: string[] = [];
  readonly #contexts: BrowserContext[] = [];

  private constructor(
    readonly service: Running,
    readonly google: Google,
    readonly proxy: RecordingProxy,
    private readonly demo: ChildProcess,
    private readonly folder: string,
    private readonly browser: Browser,
  ) {}

  /**
   * Starts everything, with nobody signed in and nothing connected; `settings` are the demo's own, beside those of a
   * stage.
   */
  static async set(browser: Browser, settings: Record<string, string> = {}): Promise<Stage> {
    const port = await freePort();
    const proxy = await RecordingProxy.open(port);
    const [service, folder] = await Promise.all([
      Running.place({ PUBLIC_URL: proxy.origin, CASSIUS_APP_URL: proxy.origin }),
      mkdtemp(join(tmpdir(), "cassius-demo-test-")),
    ]);
    const serves = service.start();
    const { calendar, sidecar, google } = service.addresses;
    const demo = spawn(process.execPath, [DEMO], {
      stdio: ["ignore", "pipe", "inherit"],
      env: {
        ...process.env,
        HOST: "127.0.0.1",
        PORT: String(port),
        PUBLIC_URL: proxy.origin,
        CALENDAR_ADDRESS: calendar,
        SIDECAR_URL: sidecar,
        DATA_DIR: folder,
        RECONCILE_SECONDS: "1",
        ...settings,
      },
    });
    const listens = Promise.race([
      once(demo.stdout, "data"),
      once(demo, "exit").then(([code]) => {
        throw new Error(`the demo ended before it listened, with ${String(code)}`);
      }),
    ]);
    await Promise.all([serves, listens]);
    demo.stdout.resume();
    return new Stage(service, new Google(google, service.folder), proxy, demo, folder, browser);
  }

  /** Somebody with a browser of their own, signed in. */
  async person(name = "Dr Camille Roche", options: BrowserContextOptions = {}): Promise<Person> {
    const open = (given: BrowserContextOptions) => this.page(given);
    const person = new Person(this.proxy.origin, await open(options), open);
    await person.signIn(name);
    return person;
  }

  /** A page in a browser of its own. */
  async page(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.browser.newContext({
      baseURL: this.proxy.origin,
      locale: "fr-FR",
      timezoneId: "Europe/Paris",
      viewport: { width: 1280, height: 900 },
      reducedMotion: "reduce",
      ...options,
    });
    context.setDefaultTimeout(15_000);
    this.#contexts.push(context);
    context.on("request", (request) => this.#addresses.push(request.url()));
    context.on("weberror", (error) => this.faults.push(String(error.error())));
    const page = await context.newPage();
    page.on("framenavigated", (frame) => this.#addresses.push(frame.url()));
    return page;
  }

  /** Has the host say nothing more, with its connections open: as a machine does that hangs. `thawHost` ends it. */
  freezeHost(): void {
    this.demo.kill("SIGSTOP");
  }

  /** Has the host go on. */
  thawHost(): void {
    this.demo.kill("SIGCONT");
  }

  /** Takes a picture of a page, where `PICTURES` asks for them. */
  async picture(page: Page, name: string, whole = true): Promise<void> {
    if (process.env["PICTURES"] !== undefined) await this.#photograph(page, name, whole);
  }

  async #photograph(page: Page, name: string, whole: boolean): Promise<void> {
    await mkdir(PICTURES, { recursive: true });
    await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: whole });
  }

  /** Takes a picture of every page that is open. */
  async pictureOfAll(name: string): Promise<void> {
    const pages = this.#contexts.flatMap((context) => context.pages());
    for (const [index, page] of pages.entries()) await this.#photograph(page, `${name} ${index}`, true);
  }

  /** Looks for tokens in everything that any browser of this stage has seen; answers what it found. */
  async leaks(): Promise<string[]> {
    await this.google.noteTokens();
    const found: string[] = [];
    const places: Place[] = [
      { name: "what the browser was sent", text: this.proxy.received },
      { name: "what the browser sent", text: this.proxy.sent },
      { name: "an address", text: this.#addresses.join("\n") },
    ];
    for (const context of this.#contexts) {
      const cookies = await context.cookies();
      places.push({ name: "a cookie", text: JSON.stringify(cookies) });
      for (const { name, httpOnly } of cookies) if (!httpOnly) found.push(`the cookie ${name} is open to scripts`);
      for (const page of context.pages().filter((one) => one.url().startsWith(this.proxy.origin)))
        places.push({ name: `the storage of ${new URL(page.url()).pathname}`, text: await storageOf(page) });
    }
    found.push(...leaksIn(places, this.google.tokens));
    for (const body of jsonBodies(this.proxy.received)) if (namesToken(body)) found.push("an answer names a token");
    for (const address of this.#addresses) if (namesToken(address)) found.push("an address names a token");
    return found;
  }

  /** Every address that a page of this stage asked for or stood at. */
  get addresses(): readonly string[] {
    return this.#addresses;
  }

  /** Ends everything, and answers what is wrong with the story as a whole. */
  async end(): Promise<string[]> {
    try {
      const away = this.#addresses.filter((address) => !/^(http:\/\/127\.0\.0\.1:|data:|blob:|about:)/.test(address));
      return [...(await this.leaks()), ...this.faults, ...away.map((address) => `${address} is not of this machine`)];
    } finally {
      await this.#tearDown();
    }
  }

  async #tearDown(): Promise<void> {
    const gone = this.demo.exitCode === null ? once(this.demo, "exit") : Promise.resolve();
    // Nobody looks any more: there is nothing to be ended cleanly.
    this.demo.kill("SIGKILL");
    await Promise.all([
      ...this.#contexts.map((context) => context.close()),
      gone.then(() => rm(this.folder, { recursive: true, force: true })),
      this.service.end("SIGKILL"),
      this.proxy.close(),
    ]);
  }
}

/** Whatever scripts of a page could have kept. */
async function storageOf(page: Page): Promise<string> {
  return await page.evaluate(async () =>
    JSON.stringify([
      document.cookie,
      Object.entries(localStorage),
      Object.entries(sessionStorage),
      await indexedDB.databases(),
      await caches.keys(),
      history.state,
      location.href,
    ]),
  );
}

// Scripts may speak of tokens; answers may not.
function jsonBodies(received: string): string[] {
  return received
    .split("HTTP/1.1 ")
    .filter((answer) => /content-type: (application\/json|text\/event-stream)/i.test(answer));
}
