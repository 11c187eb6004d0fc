/** The pages in a host whose style is not theirs: its scheme is followed, its accent is enough, its rules stay outside. */
import type { Page } from "playwright-core";
import { expect } from "vitest";

import { test } from "./stage/test.js";

const HOSTILE = `
  body { letter-spacing: 4px; word-spacing: 9px; text-transform: uppercase; font-style: italic; text-align: center; text-indent: 2em }
  button, a, label { letter-spacing: 4px; border: 4px solid red; background: yellow; box-shadow: 0 0 9px red; font: 700 30px cursive;
    color: red; text-transform: uppercase; min-height: 90px; padding: 30px; margin: 9px }
  h1, h2, h3, p, li, dt, dd, section, nav { letter-spacing: 4px; border-bottom: 4px solid red; background: yellow; font: 700 30px cursive;
    color: red; text-shadow: 0 0 4px red; margin: 30px; padding: 30px }
  :is(a, article, button, code, dd, details, div, dl, dt, h1, h2, h3, header, input, label, li, nav, ol, p, section, span, strong,
    summary, table, td, th, time, tr, ul):where(.cassius-calendar, .cassius-calendar *) {
    width: 40%; max-width: 120px; height: 12px; display: inline-block; float: left; position: relative; top: 3px; z-index: 9;
    opacity: 0.4; overflow: hidden; border-radius: 40px; transform: rotate(1deg); filter: blur(1px); outline: 3px solid red;
    line-height: 3; white-space: nowrap; text-decoration: underline; vertical-align: top; cursor: crosshair; visibility: hidden;
    list-style: square; transition: all 1s; order: 3; flex: 0 0 9px; align-self: end; content: "x" }
  button::before, a::before, li::before, h2::after, p::after, div::after, span::before { content: "→"; display: block }`;

/** How each element of the pages looks with what stands before and after it, by what a rule of the host could change. */
async function looks(page: Page): Promise<string[]> {
  return await page.evaluate(() =>
    [...document.querySelectorAll(".cassius-calendar, .cassius-calendar *:not(svg *)")].map((element) => {
      const looked = [
        "letterSpacing",
        "wordSpacing",
        "textTransform",
        "textShadow",
        "textAlign",
        "textIndent",
        "fontStyle",
        "fontFamily",
        "fontSize",
        "fontWeight",
        "color",
        "backgroundColor",
        "borderBottom",
        "boxShadow",
        "minHeight",
        "margin",
        "padding",
        "width",
        "height",
        "maxWidth",
        "display",
        "float",
        "position",
        "zIndex",
        "opacity",
        "overflow",
        "borderRadius",
        "transform",
        "filter",
        "outlineStyle",
        "lineHeight",
        "whiteSpace",
        "textDecorationLine",
        "verticalAlign",
        "cursor",
        "visibility",
        "listStyleType",
        "transitionDuration",
        "order",
        "flex",
        "alignSelf",
      ] as const;
      const styles = ["", "::before", "::after"].map((part) => getComputedStyle(element, part));
      const shown = styles.map((style) => [style.content, ...looked.map((name) => style[name])].join(" | "));
      return `${element.tagName}.${element.getAttribute("class") ?? ""} ${shown.join(" || ")}`;
    }),
  );
}

test("a host's rules for elements change nothing within", async ({ stage }) => {
  const camille = await stage.person();
  await camille.connected();
  await camille.openSettings();
  const { page } = camille;
  await camille.section("Aperçu").locator("article").waitFor();
  const before = await looks(page);
  const style = await page.addStyleTag({ content: HOSTILE });
  const after = await looks(page);
  await stage.picture(page, "hostile-host");
  expect(after.filter((look, index) => look !== before[index])).toEqual([]);

  // A window stands at the end of the body, outside of the page.
  await camille.section("Connexion").getByRole("button", { name: "Déconnecter" }).click();
  await page.getByRole("dialog").or(page.getByRole("alertdialog")).waitFor();
  const beside = await looks(page);
  await style.evaluate((element) => element.parentNode?.removeChild(element));
  const alone = await looks(page);
  expect(beside.filter((look, index) => look !== alone[index])).toEqual([]);
});

test("what a host shows of its own in the frame keeps the host's style", async ({ stage }) => {
  const { page } = await stage.person();
  await page.goto("/settings/profile");
  const words = page.locator(".app-plain p");
  await words.waitFor();
  await page.addStyleTag({ content: "p { width: 40px; opacity: 0.5 }" });
  expect(await words.evaluate((own) => [getComputedStyle(own).width, getComputedStyle(own).opacity])).toEqual([
    "40px",
    "0.5",
  ]);
});

test("the scheme is the host's, and its accent alone colours everything legibly", async ({ stage }) => {
  const camille = await stage.person("Dr Camille Roche", { colorScheme: "dark" });
  await camille.connected();
  await camille.openSettings();
  const { page } = camille;
  const surface = () =>
    page
      .locator(".cc-section-body")
      .first()
      .evaluate((section) => getComputedStyle(section).color);
  const dark = await surface();
  await page.addStyleTag({ content: ":root { color-scheme: light !important; --cassius-accent: #e8b500 !important }" });
  const light = await surface();
  expect(light).not.toBe(dark);
  const action = page.locator(".cc-switch-track").first();
  expect(await action.evaluate((track) => getComputedStyle(track).backgroundColor)).toBe("rgb(232, 181, 0)");
  await stage.picture(page, "light-host-on-a-dark-system");
});
