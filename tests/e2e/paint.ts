/**
 * How soon a page of the demo shows what it has to say: the browser's own first and largest contentful paint, with nothing
 * cached, in turn for each page. And the pictures of clients/README.md, made anew. Run with `npm run paint` in clients/.
 */
import { fileURLToPath } from "node:url";

import type { Page } from "playwright-core";

import { openBrowser } from "./stage/browser.js";
import { Stage } from "./stage/stage.js";

const ROUNDS = 20;
const PAGES = ["/calendar", "/settings", "/settings/integrations", "/settings/integrations/google-calendar"];
/** The latest is the largest: a larger one may still come for as long after the last answer. */
const QUIET_MS = 500;

const browser = await openBrowser();
try {
  await onStage(measure);
  await onStage(takePictures);
} finally {
  await browser.close();
}

/** Plays on a stage that is taken down whatever happens: what it has started would go on without this program. */
async function onStage(play: (stage: Stage) => Promise<void>): Promise<void> {
  const stage = await Stage.set(browser, { SAMPLE_RDVS: "true" });
  try {
    await play(stage);
  } finally {
    await stage.end();
  }
}

async function measure(stage: Stage): Promise<void> {
  const camille = await stage.person();
  await camille.connected();
  const { cookies, origins } = await camille.page.context().storageState();

  const taken = new Map(PAGES.map((path) => [path, { first: [] as number[], largest: [] as number[] }]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const path of PAGES) {
      const page = await stage.page({ storageState: { cookies, origins } });
      await page.addInitScript(noteLargestPaint);
      await page.goto(path);
      taken.get(path)?.largest.push(await largestPaint(page));
      taken.get(path)?.first.push(await firstPaint(page));
      await page.close();
    }
  }
  for (const [path, paints] of taken) {
    for (const [name, times] of Object.entries(paints)) {
      times.sort((one, other) => one - other);
      const of = (share: number) => times[Math.ceil(times.length * share) - 1]?.toFixed(0) ?? "?";
      process.stdout.write(`${path}: ${name} contentful paint p50 ${of(0.5)} ms, p95 ${of(0.95)} ms\n`);
    }
  }
}

/** Runs in the page, before anything of it: the browser tells of these paints to who listens, and of no other way. */
function noteLargestPaint(): void {
  new PerformanceObserver((list) => {
    document.documentElement.dataset["largestPaint"] = String(list.getEntries().at(-1)?.startTime);
  }).observe({ type: "largest-contentful-paint", buffered: true });
}

/** When the largest of what the page shows was painted, once it holds no place any more for what is still to come. */
async function largestPaint(page: Page): Promise<number> {
  await page.locator(".cassius-calendar").first().waitFor();
  await page.locator(".cc-skeleton").first().waitFor({ state: "detached" });
  await page.waitForTimeout(QUIET_MS);
  return await page.evaluate(() => Number(document.documentElement.dataset["largestPaint"]));
}

/** When anything at all was painted. */
async function firstPaint(page: Page): Promise<number> {
  return await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Number.NaN);
}

/** A week that is in Google, the settings while all is well, and a grant that was revoked, in dark. */
async function takePictures(stage: Stage): Promise<void> {
  const camille = await stage.person();
  const { page } = camille;
  const picture = async (name: string, height: number) => {
    await page.setViewportSize({ width: 1280, height });
    await page.addStyleTag({ content: "html { scrollbar-gutter: auto !important }" });
    await page.screenshot({ path: fileURLToPath(new URL(`../../clients/screenshots/${name}.png`, import.meta.url)) });
  };
  await camille.openSettings();
  await camille.connect();
  await camille.button(/Envoyer les? /).click();
  await camille.health.getByText("Tout est en ordre").waitFor();
  await camille.said(/^\d\d\sRDV\ssynchronisés/);
  // The line that tells the result lies over the page.
  await page.keyboard.press("Escape");
  await page.locator(".cc-result-line").waitFor({ state: "detached" });
  await picture("connected", 1080);

  await camille.openAgenda();
  await camille.showNextMonday();
  await camille
    .rdv("Ada Exemple")
    .first()
    .getByText(/^Dans Google depuis/)
    .waitFor({ state: "attached" });
  await picture("agenda", 840);

  await stage.google.revoke();
  await camille.createRdv({ patient: "Paul Modèle", day: 2, hour: 18 });
  await camille.badge("Sync Google en erreur").waitFor();
  await page.emulateMedia({ colorScheme: "dark" });
  await camille.openSettings();
  await camille.health.getByText("Google n’autorise plus Cassius à écrire").waitFor();
  await picture("reconnect", 620);
}
