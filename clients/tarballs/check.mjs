/**
 * Installs the two packages as a host does, from what `npm pack` makes, into three empty projects: Vite with React 18,
 * NestJS with Jest (CommonJS), Next.js with React 19. Builds each, starts it, and asks it for a page; the pages with React
 * are opened in a browser, which logs no error and shows them light, whatever the system's scheme is.
 *
 *   node tarballs/check.mjs [vite] [nest] [next]
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const STARTED_WITHIN_MS = 60_000;
const PAGES = {
  vite: { path: "/", status: 200, words: '<div id="root">', isOpened: true },
  nest: { path: "/api/integrations/google/status", status: 503, words: "SERVICE_UNAVAILABLE" },
  next: { path: "/settings/integrations/google-calendar", status: 200, words: "Google Calendar", isOpened: true },
};

const folder = await mkdtemp(join(tmpdir(), "cassius-tarballs-"));
try {
  await run(here(".."), "npm", ["pack", "--silent", "-w", "node", "-w", "react", "--pack-destination", folder]);
  const tarballs = (await readdir(folder)).filter((name) => name.endsWith(".tgz")).map((name) => join(folder, name));
  const client = tarballs.filter((name) => name.includes("calendar-client"));
  const pages = tarballs.filter((name) => name.includes("calendar-react"));
  // A front end has no need of the backend's package, and a backend none of the pages'.
  const needed = { vite: pages, nest: client, next: tarballs };
  const chosen = process.argv.slice(2);
  for (const [name, page] of Object.entries(PAGES)) {
    if (chosen.length > 0 && !chosen.includes(name)) continue;
    const project = join(folder, name);
    await cp(here(name), project, { recursive: true });
    await run(project, "npm", ["install", "--silent", "--no-audit", "--no-fund", "--prefer-offline", ...needed[name]]);
    await run(project, "npm", ["run", "--silent", "build"]);
    await started(project, page);
    process.stdout.write(`${name}: installed, built, started\n`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function run(cwd, command, args) {
  const child = spawn(command, args, { cwd, stdio: ["ignore", "ignore", "inherit"], env: environment() });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code} in ${cwd}`);
}

async function started(cwd, { path, status, words, isOpened = false }) {
  const port = await freePort();
  const child = spawn("npm", ["run", "--silent", "start", "--", String(port)], {
    cwd,
    stdio: ["ignore", "ignore", "inherit"],
    env: environment(),
    // A group of its own: npm does not hand a signal on.
    detached: true,
  });
  const ended = once(child, "exit");
  try {
    const answer = await answerOf(`http://127.0.0.1:${port}${path}`, Date.now() + STARTED_WITHIN_MS);
    const text = await answer.text();
    if (answer.status !== status || !text.includes(words)) throw new Error(`${answer.status} at ${path}: ${text}`);
    if (isOpened) await opened(answer.url);
  } finally {
    process.kill(-child.pid, "SIGTERM");
    await ended;
  }
}

/** Opens a page as a browser does, with no router behind it: the title stands, and the page says that nobody answers. */
async function opened(address) {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--disable-quic"] });
  try {
    const page = await browser.newPage();
    const errors = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    page.on("console", (message) => {
      // The browser's own word of each answer that is none.
      if (message.type() === "error" && !message.text().startsWith("Failed to load")) errors.push(message.text());
    });
    await page.goto(address);
    await page.getByRole("heading", { name: "Google Calendar", level: 1 }).waitFor();
    // Next has an alert of its own, which tells where one has gone.
    await page.getByRole("alert").filter({ hasText: "Le service de synchronisation" }).waitFor();
    await page.emulateMedia({ colorScheme: "light" });
    const light = await looks(page);
    await page.emulateMedia({ colorScheme: "dark" });
    const dark = await looks(page);
    if (light !== dark || light.includes("rgba(0, 0, 0, 0)")) errors.push(`light: ${light}, on a dark system: ${dark}`);
    if (errors.length > 0) throw new Error(`${address}: ${errors.join("\n")}`);
  } finally {
    await browser.close();
  }
}

/** The title, and the ground of what is told below it: neither project has a scheme of its own, so that both are light. */
async function looks(page) {
  const title = page.getByRole("heading", { name: "Google Calendar", level: 1 });
  const ink = await title.evaluate((element) => globalThis.getComputedStyle(element).color);
  const notice = page.locator(".cc-notice").first();
  return `${ink} on ${await notice.evaluate((element) => globalThis.getComputedStyle(element).backgroundColor)}`;
}

async function answerOf(address, until) {
  for (;;) {
    try {
      return await fetch(address);
    } catch (error) {
      if (Date.now() > until) throw error;
      await new Promise((next) => setTimeout(next, 200));
    }
  }
}

// What npm tells of the workspace would lead the installations there.
function environment() {
  const own = Object.entries(process.env).filter(([name]) => !name.toLowerCase().startsWith("npm_"));
  return { ...Object.fromEntries(own), NEXT_TELEMETRY_DISABLED: "1", CI: "1" };
}

async function freePort() {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
