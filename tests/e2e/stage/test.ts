/** `test` with a stage of its own, whose end is part of every story. */
import { expect, test as base } from "vitest";

import { openBrowser } from "./browser.js";
import { Stage } from "./stage.js";

/** A test with a browser, which sets its stages itself. */
// eslint-disable-next-line no-empty-pattern -- the runner reads what a fixture needs from this pattern
export const withBrowser = base.extend("browser", { scope: "file" }, async ({}, { onCleanup }) => {
  const browser = await openBrowser();
  onCleanup(() => browser.close());
  return browser;
});

/** A test on a stage that nobody has used. */
export const test = withBrowser.extend("stage", async ({ browser, task }, { onCleanup }) => {
  const stage = await Stage.set(browser);
  onCleanup(async () => {
    if (task.result?.state === "fail") await stage.pictureOfAll(`failed ${task.name}`);
    expect(await stage.end(), "what is wrong with the story as a whole").toEqual([]);
  });
  return stage;
});

/** The same, with one stage for all tests of a file: chapters of one story. */
export const chapter = withBrowser.extend("stage", { scope: "file" }, async ({ browser }, { onCleanup }) => {
  const stage = await Stage.set(browser);
  onCleanup(async () => {
    expect(await stage.end(), "what is wrong with the story as a whole").toEqual([]);
  });
  return stage;
});
