/**
 * Every page, in light and in dark, at 1280, 768 and 320 px: no violation of axe's rules, nothing cut off at the side, and a picture to
 * look at. And by keyboard alone: what matters can be reached and done.
 */
import type { Page } from "playwright-core";
import { expect } from "vitest";

import { violationsOf } from "./stage/axe.js";
import type { Person } from "./stage/person.js";
import type { Stage } from "./stage/stage.js";
import { test } from "./stage/test.js";

interface Frame {
  name: string;
  theme: "light" | "dark";
  width: number;
  height: number;
}

const FRAMES: readonly Frame[] = [
  { name: "light", theme: "light", width: 1280, height: 900 },
  { name: "dark", theme: "dark", width: 1280, height: 900 },
  { name: "medium-dark", theme: "dark", width: 768, height: 900 },
  { name: "medium", theme: "light", width: 768, height: 900 },
  { name: "narrow-dark", theme: "dark", width: 320, height: 720 },
  { name: "narrow", theme: "light", width: 320, height: 720 },
];

/** What is wrong with a page as it stands; takes its picture. */
async function faultsOf(stage: Stage, page: Page, name: string): Promise<string[]> {
  const faults = (await violationsOf(page)).map((violation) => `${name}: ${violation}`);
  const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (tooWide > 0) faults.push(`${name} is ${tooWide} px too wide`);
  const hasOverlay = (await page.locator(".cc-overlay, .cc-popover, dialog[open]").count()) > 0;
  await stage.picture(page, name, !hasOverlay);
  return faults;
}

/** Looks at a page in every frame. `arrange` brings back what a change of width has changed. */
async function look(stage: Stage, page: Page, name: string, arrange?: () => Promise<void>): Promise<string[]> {
  const faults: string[] = [];
  for (const { name: frame, theme, width, height } of FRAMES) {
    const isOther = page.viewportSize()?.width !== width;
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme: theme });
    if (isOther) await arrange?.();
    faults.push(...(await faultsOf(stage, page, `${name}-${frame}`)));
  }
  const [{ width, height, theme }] = FRAMES as [Frame];
  await page.setViewportSize({ width, height });
  await page.emulateMedia({ colorScheme: theme });
  return faults;
}

test("no page has a violation, in light and in dark, at each width", { timeout: 600_000 }, async ({ stage }) => {
  const faults: string[] = [];
  const door = await stage.page();
  await door.goto("/");
  await door.getByRole("button", { name: "Dr Camille Roche" }).waitFor();
  faults.push(...(await look(stage, door, "sign-in")));

  const camille = await stage.person();
  const { page } = camille;
  const seen = async (name: string, arrange?: () => Promise<void>) => {
    faults.push(...(await look(stage, page, name, arrange)));
  };
  for (const [path, heading, name] of [
    ["/settings", "Paramètres", "settings"],
    ["/settings/profile", "Profil", "profile"],
    ["/settings/organisation", "Organisation", "organisation"],
    ["/settings/security", "Sécurité", "security"],
    ["/settings/integrations", "Intégrations", "integrations"],
  ] as const) {
    await page.goto(path);
    await page.getByRole("heading", { name: heading, level: 1 }).waitFor();
    await seen(name);
  }
  await camille.openSettings();
  await camille.status("Non connecté").waitFor();
  await seen("google-not-connected");

  await camille.button("Connecter Google Calendar").click();
  await camille.button("Continuer").waitFor();
  await seen("consent");
  await camille.button("Continuer").click();
  await page.getByRole("heading", { name: "Connecter ce compte à ce cabinet ?" }).waitFor();
  await seen("consent-asked");
  await page.getByRole("button", { name: "Connecter", exact: true }).click();
  await camille.status("Connecté").waitFor();
  await camille.settled();
  await camille.said("Google Calendar est connecté.");
  await seen("google-connected");

  await camille.openAgenda();
  await camille.badge("Google connecté").waitFor();
  await camille.button("Nouveau RDV").click();
  await seen("agenda-form");
  await page.keyboard.press("Escape");
  await fillWeek(camille);
  await seen("agenda", async () => {
    // Whether the grid stays where it was depends on both widths: it begins anew at each.
    await camille.openAgenda();
    await camille.showNextMonday();
    await camille.rdv("Ada Exemple").waitFor();
  });

  await camille.openSettings();
  await camille.button("Effacer les données").click();
  await page.getByRole("alertdialog").waitFor();
  await seen("google-erase");
  await page.keyboard.press("Escape");
  await camille.button("Changer de calendrier").click();
  await camille.chooseInWindow("Fauteuils et salles");
  await camille.said(/seront déplacés/);
  await seen("google-change");
  await page.keyboard.press("Escape");
  await camille.section("Connexion").getByRole("button", { name: "Déconnecter" }).click();
  await page.getByRole("alertdialog").waitFor();
  await seen("google-disconnect");
  await page.keyboard.press("Escape");

  await stage.google.fault({ operation: "events.insert", fault: { kind: "error", code: 400, reason: "badRequest" } });
  await camille.openAgenda();
  await camille.createRdv({ patient: "Zoé Essai", day: 4, hour: 17 });
  await camille.openSettings();
  await camille.section("À traiter").getByText("1 rendez-vous en erreur").waitFor();
  await camille
    .section("À traiter")
    .getByRole("button", { name: /^Réessayer/ })
    .first()
    .waitFor();
  await seen("google-refused");
  await stage.google.heal();
  await stage.google.revoke();
  await camille.openAgenda();
  await camille.createRdv({ patient: "Yan Essai", day: 4, hour: 18 });
  await camille.badge("Sync Google en erreur").waitFor();
  await seen("agenda-error");
  await camille.openSettings();
  await camille.health.getByText("Google n’autorise plus Cassius à écrire").waitFor();
  await seen("google-reconnect");
  await page.goto("/settings/integrations");
  await camille.said("En erreur");
  await seen("integrations-error");

  await page
    .context()
    .addCookies([{ name: "cassius_calendar_connect", value: "old", url: stage.proxy.origin, httpOnly: true }]);
  await page.goto("/api/integrations/google/connect");
  await page.getByRole("heading").waitFor();
  await seen("no-ticket");
  expect(faults).toEqual([]);
});

async function fillWeek(camille: Person): Promise<void> {
  const words = ["Contrôle", "Détartrage", "Implant", "Prothèse", "Chirurgie"];
  for (const [day, type] of words.entries())
    await camille.createRdv({
      patient: `${["Ada", "Bea", "Cleo", "Dora", "Elsa"][day] ?? ""} Exemple`,
      type,
      day,
      hour: 9 + day,
    });
  await camille.showNextMonday();
  await camille.rdv("Ada Exemple").waitFor();
}

test("by keyboard alone: a RDV is made, the settings are found, a window keeps and gives back the focus", async ({
  stage,
}) => {
  const camille = await stage.person();
  await camille.connected();
  await camille.openSettings();
  const { page } = camille;
  await camille.button("Changer de calendrier").focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  for (let turn = 0; turn < 8; turn += 1) {
    await page.keyboard.press("Tab");
    expect(await dialog.evaluate((element) => element.contains(document.activeElement))).toBe(true);
  }
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe("Changer de calendrier");

  const toggle = page.getByRole("switch");
  await toggle.focus();
  await page.keyboard.press("Space");
  await camille.said("La synchronisation est en pause.");
  await page.keyboard.press("Space");
  await camille.said("La synchronisation est activée.");

  await camille.openAgenda();
  await camille.button("Nouveau RDV").focus();
  await page.keyboard.press("Enter");
  await page.getByLabel("Patient").focus();
  await page.keyboard.type("Léa Exemple");
  await page.keyboard.press("Enter");
  await camille.said("RDV enregistré.");
  await expect.poll(() => stage.google.titles()).toEqual(["[Cassius] Contrôle — Léa Exemple"]);
});

test("going between the settings pages keeps the frame: the navigation is the same element", async ({ stage }) => {
  const camille = await stage.person();
  const { page } = camille;
  await camille.openSettings();
  const navigation = await page.getByRole("navigation", { name: "Paramètres" }).elementHandle();
  for (const name of ["Profil", "Organisation", "Sécurité", "Intégrations"]) {
    await page.getByRole("navigation", { name: "Paramètres" }).getByRole("link", { name }).click();
    await page.getByRole("heading", { name, level: 1 }).waitFor();
    expect(await navigation.evaluate((element) => element.isConnected)).toBe(true);
  }
});
