/** Takes a picture of every state into `screenshots/`. Arguments: a part of a name, then frames. */
import { mkdir } from "node:fs/promises";
import { visitAll } from "./browser.mjs";

const [only = "", ...frameNames] = process.argv.slice(2);
const folder = new URL("../screenshots/", import.meta.url).pathname;
await mkdir(folder, { recursive: true });
await visitAll(
  async ({ page, name, frame }) => {
    const isOverlay = (await page.locator(".cc-overlay, .cc-popover, .cc-result-line").count()) > 0;
    await page.screenshot({ path: `${folder}${name}-${frame.name}.png`, fullPage: !isOverlay });
  },
  { only, frameNames },
);
