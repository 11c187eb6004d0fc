/**
 * Every state of the settings, in a window of each width, in French and light, in English and dark: no violation of axe's
 * rules, nothing cut off at the side, and nothing in sight that is hidden.
 */
import type { Page } from "playwright-core";
import { expect } from "vitest";

import { violationsOf } from "./stage/axe.js";
import { becomes, STATES, WIDTHS, withGallery as test } from "./stage/gallery.js";

// Colours know no language, and words no colour: each of both is seen once.
const READERS = [
  { locale: "fr", colorScheme: "light" },
  { locale: "en", colorScheme: "dark" },
] as const;

/** What is wrong with the page as it stands. */
async function faultsOf(page: Page, name: string): Promise<string[]> {
  const faults = (await violationsOf(page)).map((violation) => `${name}: ${violation}`);
  const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (tooWide > 0) faults.push(`${name} is ${tooWide} px too wide`);
  const shown = await page.locator(".cassius-calendar [hidden]:visible").allTextContents();
  faults.push(...shown.map((words) => `${name} shows what is hidden: ${words}`));
  return faults;
}

test("no state has a violation or is too wide", { timeout: 480_000 }, async ({ browser, gallery }) => {
  const look = async (width: number, { locale, colorScheme }: (typeof READERS)[number]) => {
    const page = await browser.newPage({ viewport: { width, height: 900 }, reducedMotion: "reduce", colorScheme });
    const name = (state: string) => `${state} at ${width} px, ${locale}, ${colorScheme}`;
    const faults: string[] = [];
    for (const state of ["loading", "parts-loading", "parts-failing", "forbidden", "unanswered"]) {
      await page.goto(gallery(state, locale));
      await page.locator("main h1").waitFor();
      faults.push(...(await faultsOf(page, name(state))));
    }
    await page.goto(gallery("connected", locale));
    await page.locator(".cc-skeleton").first().waitFor({ state: "detached" });
    for (const state of [...STATES, "signed-out"]) {
      // Without a network the page shows what it knew.
      if (state === "offline") await becomes(page, "connected");
      await becomes(page, state);
      faults.push(...(await faultsOf(page, name(state))));
    }
    await page.close();
    return faults;
  };
  const looks = WIDTHS.flatMap((width) => READERS.map((reader) => look(width, reader)));
  expect((await Promise.all(looks)).flat()).toEqual([]);
});

test("at 320 px each button of a window is as wide as the window's words", async ({ browser, gallery }) => {
  const page = await browser.newPage({ viewport: { width: 320, height: 720 }, reducedMotion: "reduce" });
  for (const [state, button] of [
    ["connected", "Déconnecter"],
    ["connected", "Changer de calendrier"],
    ["connected", "Effacer les données"],
    ["first-connected", /^Choisir la confidentialité/],
    ["other-account", "Répondre"],
  ] as const) {
    await page.goto(gallery(state));
    await page.getByRole("button", { name: button }).first().click();
    const window = page.locator("[role=dialog], [role=alertdialog]");
    await window.waitFor();
    const widths = await window.evaluate((shown) => {
      const width = shown.querySelector("h2")?.getBoundingClientRect().width ?? 0;
      const buttons = [...shown.querySelectorAll<HTMLElement>(".cc-window-actions button")];
      return buttons.map((each) => [each.innerText, Math.round(each.getBoundingClientRect().width - width)]);
    });
    expect(widths.length, state).toBeGreaterThan(1);
    expect(widths.filter(([, difference]) => Math.abs(Number(difference)) > 1)).toEqual([]);
  }
  await page.close();
});
