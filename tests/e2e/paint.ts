/**
 * How soon a page of the demo is painted: the browser's own first contentful paint, with nothing cached, in turn for
 * each page. And the pictures of clients/README.md, made anew. Run with `npm run paint` in clients/.
 */
import { fileURLToPath } from "node:url";

import type { Browser } from "playwright-core";

import { openBrowser } from "./stage/browser.js";
import { Stage } from "./stage/stage.js";

const ROUNDS = 10;
const PAGES = ["/calendar", "/settings/integrations", "/settings/integrations/google-calendar"];

const browser = await openBrowser();
const stage = await Stage.set(browser);
const camille = await stage.person();
await camille.connected();
const { cookies, origins } = await camille.page.context().storageState();

const taken = new Map(PAGES.map((path) => [path, [] as number[]]));
for (let round = 0; round < ROUNDS; round += 1) {
  for (const path of PAGES) {
    const page = await stage.page({ storageState: { cookies, origins } });
    await page.goto(path);
    const paint = await page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          new PerformanceObserver((list) => {
            const first = list.getEntriesByName("first-contentful-paint")[0];
            if (first) resolve(first.startTime);
          }).observe({ type: "paint", buffered: true });
        }),
    );
    taken.get(path)?.push(paint);
    await page.close();
  }
}
for (const [path, times] of taken) {
  times.sort((one, other) => one - other);
  const of = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))]?.toFixed(0) ?? "?";
  process.stdout.write(`${path}: first contentful paint p50 ${of(0.5)} ms, worst ${of(1)} ms\n`);
}
await stage.end();
await takePictures(browser);
await browser.close();

/** A week that is in Google, the settings while all is well, and a grant that was revoked, in dark. */
async function takePictures(browser: Browser): Promise<void> {
  const stage = await Stage.set(browser, { SAMPLE_RDVS: "true" });
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
  await camille.said(/^\d\d RDV synchronisés/);
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
  await stage.end();
}
