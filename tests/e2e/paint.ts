/**
 * How soon a page of the demo is painted: the browser's own first contentful paint, with nothing cached, in turn for
 * each page. Run with `npm run paint` in clients/.
 */
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
await browser.close();
