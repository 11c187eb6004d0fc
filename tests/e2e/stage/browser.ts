/** The browser of these tests: Debian's Chromium, or the one that `CHROMIUM` names. */
import { chromium, type Browser } from "playwright-core";

// Quiet: nothing but the pages under test goes over the wire.
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts it. */
export async function openBrowser(): Promise<Browser> {
  return await chromium.launch({ executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium", args: FLAGS });
}
