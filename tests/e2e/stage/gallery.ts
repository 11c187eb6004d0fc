/**
 * The gallery of the settings pages, built and served: every state in which a page can stand, with no service behind it.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { Page } from "playwright-core";
import { build, preview } from "vite";

import { withBrowser } from "./test.js";

const CONFIG = fileURLToPath(new URL("../../../clients/react/gallery/vite.config.ts", import.meta.url));

/** The widths that are looked at. */
export const WIDTHS = [1280, 768, 320];

/** Every state that a page can stand in, and go over from into any other. */
export const STATES = [
  "not-connected",
  "first-connected",
  "connected",
  "paused",
  "syncing",
  "refused-while-syncing",
  "throttled",
  "refused",
  "reconnect-needed",
  "calendar-gone",
  "misconfigured",
  "other-account",
  "disconnecting",
  "offline",
  "service-away",
  "never-synced",
  "keyring-incomplete",
  "account-unavailable",
  "internal",
  "google-away",
  "refused-while-throttled",
  "paused-with-all",
  "behind",
  "ending-at-once",
  "other-account-for-lost",
];

/** Tells the page what it becomes, and waits until that is drawn and its questions are answered. */
export async function becomes(page: Page, state: string): Promise<void> {
  await page.evaluate((next) => {
    delete document.documentElement.dataset["shown"];
    window.postMessage({ becomes: next });
  }, state);
  await isShown(page, state);
}

/** Waits until a state is drawn and its questions are answered. */
export async function isShown(page: Page, state: string): Promise<void> {
  await page.waitForFunction((awaited) => document.documentElement.dataset["shown"] === awaited, state);
}

/** A test with a browser and the gallery: `gallery(state)` is a state of the Google page, in French unless said. */
// eslint-disable-next-line no-empty-pattern -- a fixture says by its pattern what it needs: nothing
export const withGallery = withBrowser.extend("gallery", { scope: "file" }, async ({}, { onCleanup }) => {
  const outDir = await mkdtemp(join(tmpdir(), "cassius-gallery-"));
  const built = { configFile: CONFIG, logLevel: "error", build: { outDir, emptyOutDir: true } } as const;
  await build(built);
  const server = await preview({ ...built, preview: { port: 0, host: "127.0.0.1" } });
  onCleanup(async () => {
    await server.close();
    await rm(outDir, { recursive: true });
  });
  const address = server.httpServer.address();
  if (address === null || typeof address === "string") throw new Error("the gallery has a port");
  return (state: string, locale = "fr", view = "google") =>
    `http://127.0.0.1:${address.port}/?view=${view}&locale=${locale}&state=${state}`;
});
