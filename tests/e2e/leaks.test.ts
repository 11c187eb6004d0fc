/** The eye that looks for tokens sees them: otherwise its silence elsewhere would say nothing. */
import { expect, test as plain } from "vitest";

import { leaksIn, namesToken } from "./stage/leaks.js";
import { Stage } from "./stage/stage.js";
import { withBrowser } from "./stage/test.js";

const TOKEN = "ya29.a0abcdefghijklmnopqrstuvwxyz";

plain("a token is seen by its value and by its shape", () => {
  expect(leaksIn([{ name: "body", text: "x secret-value y" }], ["secret-value"])).toHaveLength(1);
  expect(leaksIn([{ name: "body", text: `{"a":"${TOKEN}"}` }], [])).toHaveLength(1);
  expect(leaksIn([{ name: "body", text: `r=1//0${"q".repeat(60)}` }], [])).toHaveLength(1);
  expect(leaksIn([{ name: "body", text: "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwIn0.c2ln" }], [])).toHaveLength(1);
  expect(leaksIn([{ name: "body", text: "nothing of the kind, 1//2" }], [TOKEN])).toEqual([]);
  expect(namesToken('{"refreshToken":null}')).toBe(true);
  expect(namesToken('{"nextPageToken":null}')).toBe(false);
});

withBrowser("what a page is sent, keeps, and sets as a cookie is looked at", async ({ browser }) => {
  const stage = await Stage.set(browser);
  const { page } = await stage.person();
  await page.goto("/settings/integrations");
  expect(await stage.leaks()).toEqual([]);
  expect(stage.proxy.received).toContain("Cabinet dentaire des Lilas");
  await page.evaluate((token) => {
    localStorage.setItem("kept", token);
    document.cookie = "open=1; path=/";
  }, TOKEN);
  expect(await stage.leaks()).toEqual([
    "the cookie open is open to scripts",
    expect.stringContaining("the storage of /settings/integrations"),
  ]);
  await page.goto(`/settings/integrations?of=${TOKEN}`);
  const found = await stage.end();
  expect(found).toContainEqual(expect.stringContaining("an address"));
  expect(found).toContainEqual(expect.stringContaining("what the browser sent"));
});
