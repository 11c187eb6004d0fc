/**
 * Between the widths of a telephone, a tablet and a desk: in every state no page scrolls sideways, and no words of a button,
 * a pill or a badge are cut or leave the part of the page that they stand in. And while all is well there
 * is no empty room, though nothing moves when something comes.
 */
import type { Page } from "playwright-core";
import { expect } from "vitest";

import { becomes, isShown, STATES, withGallery as test } from "./stage/gallery.js";

const WIDTHS = [320, 360, 400, 480, 560, 640, 700, 768, 900];
const LOCALES = ["fr", "en"] as const;

/** What of a page does not fit into its width. */
async function misfits(page: Page): Promise<string[]> {
  return await page.evaluate(() => {
    const found: string[] = [];
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth > clientWidth) found.push(`scrolls sideways by ${scrollWidth - clientWidth} px`);
    const isSeen = (element: HTMLElement) =>
      element.checkVisibility({ visibilityProperty: true }) && element.closest(".cc-hidden") === null;
    const isCut = (element: HTMLElement) =>
      getComputedStyle(element).display !== "inline" && element.scrollWidth - element.clientWidth > 1;
    for (const whole of document.querySelectorAll<HTMLElement>("button, a, .cc-pill, .cc-badge, .cc-tag")) {
      if (!isSeen(whole)) continue;
      const words = whole.innerText.replace(/\s+/g, " ");
      const parts = [whole, ...whole.querySelectorAll<HTMLElement>("*:not(svg, svg *)")];
      if (parts.some((part) => isSeen(part) && isCut(part))) found.push(`cuts « ${words} »`);
      const around = whole.parentElement?.closest(".cc-section, .cc-notice, .cc-first, .cc-card, .cc-page, main");
      const [own, room] = [whole.getBoundingClientRect(), around?.getBoundingClientRect()];
      if (room && (own.right > room.right + 0.5 || own.left < room.left - 0.5)) found.push(`lets out « ${words} »`);
    }
    return found;
  });
}

for (const view of ["google", "looking", "integrations", "overview"]) {
  test(`nothing is cut off at any width: ${view}`, { timeout: 240_000 }, async ({ browser, gallery }) => {
    const look = async (locale: (typeof LOCALES)[number]) => {
      const page = await browser.newPage({ viewport: { width: 900, height: 900 }, reducedMotion: "reduce" });
      const faults: string[] = [];
      await page.goto(gallery("connected", locale, view));
      await isShown(page, "connected");
      for (const state of STATES) {
        if (state === "offline") await becomes(page, "connected");
        await becomes(page, state);
        for (const width of WIDTHS) {
          await page.setViewportSize({ width, height: 900 });
          faults.push(...(await misfits(page)).map((fault) => `${state} at ${width} px, ${locale}: ${fault}`));
        }
      }
      await page.close();
      return faults;
    };
    expect((await Promise.all(LOCALES.map(look))).flat()).toEqual([]);
  });
}

test("nothing is cut off at any width: badges and single appointments", async ({ browser, gallery }) => {
  const page = await browser.newPage({ reducedMotion: "reduce" });
  const faults: string[] = [];
  for (const locale of LOCALES) {
    for (const [view, state] of [
      ["badge", "connected"],
      ["badge", "offline"],
      ["appointment", "connected"],
    ] as const) {
      await page.goto(gallery(state, locale, view));
      await page.locator(".cc-badge, .cc-appointment").first().waitFor();
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 900 });
        faults.push(...(await misfits(page)).map((fault) => `${view} at ${width} px, ${locale}: ${fault}`));
      }
    }
  }
  await page.close();
  expect(faults).toEqual([]);
});

/** As much as the notice may have below its words, its own edge included; more looks like something that is missing. */
const MOST_EMPTY_PX = 60;
/** As much more as there may be below them than above. */
const MOST_UNEVEN_PX = 8;

test("while all is well no empty band stands in the notice, below it, or where a comparison has its result", async ({
  browser,
  gallery,
}) => {
  const bands: string[] = [];
  for (const view of ["google", "looking"]) {
    const page = await browser.newPage({ viewport: { width: 900, height: 900 }, reducedMotion: "reduce" });
    for (const locale of LOCALES) {
      await page.goto(gallery("connected", locale, view));
      await isShown(page, "connected");
      for (const state of ["connected", "never-synced", "syncing"]) {
        if (state !== "connected") await becomes(page, state);
        for (const width of [...WIDTHS, 1280]) {
          await page.setViewportSize({ width, height: 900 });
          const [inside, uneven, below, compared] = await page.evaluate(() => {
            const box = (selector: string) => document.querySelector(selector)?.getBoundingClientRect();
            const words = [...document.querySelectorAll(".cc-health p")].map((each) => each.getBoundingClientRect());
            const notice = box(".cc-health")?.bottom ?? Number.NaN;
            const inside = notice - Math.max(...words.map(({ bottom }) => bottom));
            const above = Math.min(...words.map(({ top }) => top)) - (box(".cc-health")?.top ?? Number.NaN);
            const lead = box(".cc-page-lead");
            const next = lead && lead.top >= notice ? lead.top : (box(".cc-section")?.top ?? Number.NaN);
            const [hint, room] = [box(".cc-comparison-words p"), box(".cc-comparison")];
            const compared = hint && room ? room.bottom - hint.bottom : 0;
            return [inside, inside - above, next - notice, compared] as const;
          });
          const where = `${view}, ${state} at ${width} px, ${locale}`;
          if (!(inside <= MOST_EMPTY_PX)) bands.push(`${where}: ${Math.round(inside)} px in the notice`);
          if (!(uneven <= MOST_UNEVEN_PX)) bands.push(`${where}: ${Math.round(uneven)} px more below than above`);
          if (!(below <= 25)) bands.push(`${where}: ${Math.round(below)} px below it`);
          if (compared > 5) bands.push(`${where}: ${Math.round(compared)} px below the comparison`);
        }
      }
    }
    await page.close();
  }
  expect(bands).toEqual([]);
});
