/**
 * Whatever the settings become while they stand open, from any state to any other, nothing on them jumps: the gallery's
 * states, one after the other, in a window of each width; and as each is first drawn.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { Browser, Page } from "playwright-core";
import { build, preview } from "vite";
import { expect } from "vitest";

import { countShifts, moved, STILL } from "./stage/shifts.js";
import { withBrowser } from "./stage/test.js";

const GALLERY = fileURLToPath(new URL("../../clients/react/gallery/vite.config.ts", import.meta.url));
const WIDTHS = [1280, 768, 320];
/** Every state that a page can stand in, and go over from into any other. */
const STATES = [
  "not-connected",
  "first-connected",
  "connected",
  "paused",
  "syncing",
  "throttled",
  "refused",
  "reconnect-needed",
  "calendar-gone",
  "misconfigured",
  "other-account",
  "disconnecting",
  "offline",
  "service-away",
];

/** A way through every pair of states, each once. */
function everyPair(count: number): number[] {
  const left = Array.from({ length: count }, (_, from) => [...Array(count).keys()].filter((to) => to !== from));
  const [stack, way]: [number[], number[]] = [[0], []];
  for (let at = stack.at(-1); at !== undefined; at = stack.at(-1)) {
    const next = left[at]?.pop();
    if (next === undefined) way.push(stack.pop() ?? 0);
    else stack.push(next);
  }
  return way;
}

/** Tells the page, and waits until the state has come and its questions are answered. */
async function becomes(page: Page, state: string): Promise<void> {
  await page.evaluate(async (next) => {
    window.postMessage({ becomes: next });
    await new Promise((told) => setTimeout(told, 40));
  }, state);
}

async function open(browser: Browser, width: number): Promise<Page> {
  const page = await browser.newPage({ viewport: { width, height: 900 }, reducedMotion: "reduce", locale: "fr-FR" });
  await countShifts(page);
  return page;
}

/** The gallery, built and served. */
// eslint-disable-next-line no-empty-pattern -- a fixture says by its pattern what it needs: nothing
const test = withBrowser.extend("gallery", { scope: "file" }, async ({}, { onCleanup }) => {
  const outDir = await mkdtemp(join(tmpdir(), "cassius-gallery-"));
  const built = { configFile: GALLERY, logLevel: "error", build: { outDir, emptyOutDir: true } } as const;
  await build(built);
  const server = await preview({ ...built, preview: { port: 0, host: "127.0.0.1" } });
  onCleanup(async () => {
    await server.close();
    await rm(outDir, { recursive: true });
  });
  const address = server.httpServer.address();
  if (address === null || typeof address === "string") throw new Error("the gallery has a port");
  return (state: string) => `http://127.0.0.1:${address.port}/?view=google&locale=fr&state=${state}`;
});

/** Goes through a story in a window of each width, side by side, and answers what moved too far. */
async function inEveryWidth(
  browser: Browser,
  story: (page: Page, look: (where: string) => Promise<void>) => Promise<void>,
): Promise<string[]> {
  const tooFar: string[] = [];
  const tell = async (width: number) => {
    const page = await open(browser, width);
    await story(page, async (where) => {
      const { shift, movers } = await moved(page);
      if (shift > STILL) tooFar.push(`${where} at ${width} px: ${shift.toFixed(4)} of ${movers.join(", ")}`);
    });
    await page.close();
  };
  await Promise.all(WIDTHS.map(tell));
  return tooFar;
}

test("from every state into every other", { timeout: 300_000 }, async ({ browser, gallery }) => {
  const way = everyPair(STATES.length).map((index) => STATES[index] ?? "");
  expect(new Set(way.slice(1).map((state, index) => `${way[index] ?? ""} ${state}`)).size).toBe(14 * 13);
  const tooFar = await inEveryWidth(browser, async (page, look) => {
    await page.goto(gallery(way[0] ?? ""));
    await page.locator(".cc-skeleton").first().waitFor({ state: "detached" });
    await moved(page);
    for (const [index, state] of way.slice(1).entries()) {
      await becomes(page, state);
      await look(`${way[index] ?? ""} to ${state}`);
      expect(await page.locator("main h1").count(), state).toBe(1);
    }
  });
  expect(tooFar).toEqual([]);
});

test(
  "each as it is first drawn, and when the session ends over it",
  { timeout: 300_000 },
  async ({ browser, gallery }) => {
    const tooFar = await inEveryWidth(browser, async (page, look) => {
      for (const state of [...STATES, "never-synced", "parts-failing", "forbidden", "unanswered"]) {
        await page.goto(gallery(state));
        await page.locator(".cc-skeleton").first().waitFor({ state: "detached" });
        if (state === "offline") await page.getByText("Vous êtes hors ligne").first().waitFor();
        await look(`${state}, first drawn`);
        if (!STATES.includes(state) || state === "offline") continue;
        await becomes(page, "signed-out");
        await page.getByText("Votre session a expiré").waitFor();
        await look(`${state}, the session ended`);
      }
    });
    expect(tooFar).toEqual([]);
  },
);
