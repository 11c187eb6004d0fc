/** Serves the built gallery and opens it in Chromium; whoever uses it closes it. */
import { chromium } from "playwright-core";
import { preview } from "vite";

/** Where Chromium is; another one by `CHROMIUM`. */
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** The states to look at: which page, which state, and what to press before looking. */
export const looks = [
  ...[
    "loading",
    "not-connected",
    "connected",
    "never-synced",
    "first-connected",
    "disconnecting",
    "other-account",
    "paused",
    "syncing",
    "throttled",
    "reconnect-needed",
    "calendar-gone",
    "misconfigured",
    "keyring-incomplete",
    "refused",
    "parts-loading",
    "parts-failing",
    "offline",
    "service-away",
    "unanswered",
    "forbidden",
    "outcome-connected",
    "outcome-denied",
    "outcome-denied-over-error",
    "outcome-missing-scope",
  ].map((state) => ({ view: "google", state })),
  { view: "google", state: "connected", name: "disconnect", press: ["Déconnecter"] },
  { view: "google", state: "connected", name: "erase", press: ["Effacer les données"] },
  {
    view: "google",
    state: "reconnect-needed",
    name: "erase-left",
    press: ["Effacer les données", "Effacer les données"],
  },
  { view: "google", state: "connected", name: "change", press: ["Changer de calendrier"] },
  { view: "google", state: "first-connected", name: "choose-privacy", press: [/^Choisir la confidentialité/] },
  { view: "google", state: "calendar-gone", name: "choose", press: ["Choisir un autre calendrier"] },
  { view: "google", state: "connected", name: "dropdown", press: ["Changer de calendrier", /Nouveau calendrier/] },
  { view: "google", state: "list-forbidden", name: "change-forbidden", press: ["Changer de calendrier"] },
  { view: "google", state: "list-loading", name: "change-loading", press: ["Changer de calendrier"] },
  { view: "google", state: "parts-failing", name: "change-failing", press: ["Changer de calendrier"] },
  { view: "google", state: "save-failing", name: "rolled-back", press: ["Synchroniser maintenant"] },
  { view: "google", state: "refused", name: "retried", press: ["Tout réessayer"] },
  { view: "google", state: "differing", name: "compared", press: ["Comparer avec Google"] },
  { view: "google", state: "connected", name: "in-step", press: ["Comparer avec Google"] },
  { view: "google", state: "connected", name: "english", locale: "en" },
  ...[
    "loading",
    "not-connected",
    "connected",
    "reconnect-needed",
    "refused",
    "offline",
    "service-away",
    "unanswered",
  ].map((state) => ({ view: "integrations", state })),
  ...["loading", "not-connected", "connected", "paused", "refused", "offline", "unanswered"].map((state) => ({
    view: "overview",
    state,
  })),
  ...[
    "not-connected",
    "first-connected",
    "connected",
    "reconnect-needed",
    "other-account",
    "refused",
    "disconnecting",
  ].map((state) => ({ view: "looking", state })),
  { view: "badge", state: "connected" },
  { view: "badge", state: "offline" },
  { view: "appointment", state: "connected" },
];

/** The windows to look in. */
export const frames = [
  { name: "light", theme: "light", width: 1280, height: 900 },
  { name: "dark", theme: "dark", width: 1280, height: 900 },
  { name: "medium", theme: "light", width: 768, height: 900 },
  { name: "medium-dark", theme: "dark", width: 768, height: 900 },
  { name: "narrow", theme: "light", width: 320, height: 720 },
  { name: "narrow-dark", theme: "dark", width: 320, height: 720 },
];

/** Runs `visit` on every look in every frame. `only` keeps the looks whose name holds it. */
export async function visitAll(visit, { only = "", frameNames = [] } = {}) {
  const server = await preview({
    configFile: new URL("../gallery/vite.config.ts", import.meta.url).pathname,
    preview: { port: 0, host: "127.0.0.1" },
    logLevel: "error",
  });
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--disable-quic"] });
  try {
    const address = server.httpServer.address();
    for (const frame of frames.filter((each) => frameNames.length === 0 || frameNames.includes(each.name))) {
      const context = await browser.newContext({
        viewport: { width: frame.width, height: frame.height },
        colorScheme: frame.theme,
        reducedMotion: "reduce",
        timezoneId: "Europe/Paris",
      });
      const page = await context.newPage();
      for (const look of looks) {
        const name = `${look.view}-${look.name ?? look.state}`;
        if (!name.includes(only)) continue;
        const query = new URLSearchParams({ view: look.view, state: look.state, locale: look.locale ?? "fr" });
        await page.goto(`http://127.0.0.1:${address.port}/?${query}`);
        await page.waitForLoadState("networkidle");
        await page.waitForTimeout(look.state === "offline" ? 500 : 150);
        // What lies below a window has the same words, and cannot be pressed.
        const inReach = page.locator(":not([inert] *)");
        for (const label of look.press ?? [])
          await page.getByRole("button", { name: label }).and(inReach).first().click();
        if (look.press) await page.waitForTimeout(200);
        await visit({ page, name, frame });
      }
      if ("menu".includes(only) && frame.width < 768) {
        await page.goto(`http://127.0.0.1:${address.port}/?view=google&state=connected`);
        await page.getByRole("button", { name: /Menu/ }).click();
        await visit({ page, name: "menu", frame });
      }
      await context.close();
    }
  } finally {
    await browser.close();
    await server.close();
  }
}
