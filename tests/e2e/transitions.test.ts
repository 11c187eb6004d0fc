/**
 * Whatever the settings become while they stand open, from any state to any other, nothing on them jumps: the gallery's
 * states, one after the other, in a window of each width; and as each is first drawn.
 */
import type { Browser, Page } from "playwright-core";
import { expect } from "vitest";

import { becomes, isShown, STATES, WIDTHS as LOOKED_AT, withGallery as test } from "./stage/gallery.js";
import { countShifts, moved, STILL } from "./stage/shifts.js";

/** And those between, where most telephones are, and where the page is narrow beside the menu. */
const WIDTHS = [...LOOKED_AT, 900, 400];

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

async function open(browser: Browser, width: number): Promise<Page> {
  const page = await browser.newPage({ viewport: { width, height: 900 }, reducedMotion: "reduce", locale: "fr-FR" });
  await countShifts(page);
  return page;
}

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

test("from every state into every other", { timeout: 600_000 }, async ({ browser, gallery }) => {
  const way = everyPair(STATES.length).map((index) => STATES[index] ?? "");
  expect(new Set(way.slice(1).map((state, index) => `${way[index] ?? ""} ${state}`)).size).toBe(
    STATES.length * (STATES.length - 1),
  );
  const tooFar = await inEveryWidth(browser, async (page, look) => {
    await page.goto(gallery(way[0] ?? ""));
    await isShown(page, way[0] ?? "");
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
      for (const state of [...STATES, "parts-failing", "forbidden", "unanswered"]) {
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

test("what is told beside it keeps its place too, whatever its next words are", async ({ browser, gallery }) => {
  for (const width of WIDTHS) {
    const page = await open(browser, width);
    await page.goto(gallery("connected"));
    await isShown(page, "connected");
    // A button that leaps in the frame in which something else stirs makes a great shift of both.
    const place = async (state: string, told: string) => {
      await becomes(page, state);
      await page.locator(".cc-result-line", { hasText: told }).waitFor();
      return (await page.locator(".cc-result-close").boundingBox())?.x;
    };
    const before = await place("reconnect-needed", "Google n’autorise plus Cassius à écrire");
    expect(before).toBeGreaterThan(0);
    expect(await place("connected", "La synchronisation fonctionne à nouveau."), `${width} px`).toBe(before);
    await page.close();
  }
});

test("the time until the next try is told in its place as the minutes pass", async ({ browser, gallery }) => {
  for (const width of WIDTHS) {
    const page = await open(browser, width);
    await page.clock.install({ time: "2026-03-12T10:55:00Z" });
    await page.goto(gallery("throttled"));
    await page.clock.runFor(1_000);
    const minutes = page.locator(".cc-health .cc-moment");
    const places: (number | undefined)[] = [];
    for (const words of ["dans 3 minutes", "dans 2 minutes", "dans 1 minute"]) {
      await minutes.getByText(words).waitFor();
      places.push((await minutes.boundingBox())?.y);
      await page.clock.runFor(60_000);
    }
    expect(new Set(places).size, `${width} px: ${places.join(", ")}`).toBe(1);
    await page.close();
  }
});
