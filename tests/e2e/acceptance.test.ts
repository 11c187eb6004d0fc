/**
 * The eight acceptance criteria of the product, in the order in which a practice meets them: one story, on the real
 * service, a real browser, and an emulated Google.
 */
import { describe, expect } from "vitest";

import { ACCOUNT, ROOMS } from "./stage/google.js";
import type { Person } from "./stage/person.js";
import { chapter } from "./stage/test.js";

describe("a practice connects Google Calendar, works, and disconnects", () => {
  let camille: Person;
  chapter.beforeAll(async ({ stage }) => {
    camille = await stage.person();
  });
  chapter.afterEach(async ({ stage, task }) => {
    if (task.result?.state === "fail") await stage.pictureOfAll(`failed ${task.name}`);
  });

  chapter("1. the detail page opens from the settings", async () => {
    const { page } = camille;
    await page.goto("/");
    await page.getByRole("link", { name: "Paramètres" }).click();
    await page.getByRole("heading", { name: "Paramètres", level: 1 }).waitFor();
    await page.getByRole("main").getByRole("listitem").getByText("Non connecté").waitFor();
    await page.getByRole("main").getByRole("listitem").getByRole("link", { name: "Intégrations" }).last().click();
    const card = page.getByRole("listitem").filter({ hasText: "Google Calendar" });
    await card.getByText("Non connecté").waitFor();
    await page.getByRole("link", { name: "Configurer Google Calendar" }).click();
    await page.getByRole("heading", { name: "Google Calendar", level: 1 }).waitFor();
    await camille.status("Non connecté").waitFor();
    await camille.said("Ce qui ne sera jamais envoyé");
  });

  chapter("2. the account is connected by Google's consent page", async ({ stage }) => {
    await camille.connect();
    await camille.status("Connecté").waitFor();
    await camille.said("Google Calendar est connecté.");
    await camille.section("Connexion").getByText(ACCOUNT).first().waitFor();
    expect(await stage.google.noteTokens()).toBeGreaterThanOrEqual(2);
  });

  chapter("3. a calendar is chosen, the primary one first and the default", async () => {
    const { page } = camille;
    await camille.button("Changer de calendrier").click();
    await page
      .getByRole("dialog")
      .getByRole("button", { name: /Nouveau calendrier/ })
      .click();
    const options = page.getByRole("option");
    await options.first().waitFor();
    expect(await options.allInnerTexts()).toEqual([
      expect.stringContaining("Principal"),
      "Fauteuils et salles",
      expect.stringMatching(/^Implantologie \(partagé\)\s*À quelqu’un d’autre$/),
    ]);
    await page.getByRole("option", { name: "Fauteuils et salles" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Changer de calendrier" }).click();
    await camille.said("Le calendrier est maintenant « Fauteuils et salles ».");
    await camille.section("Connexion").getByText(ROOMS).waitFor();
  });

  chapter("4. a RDV that is created becomes an event", async ({ stage }) => {
    await camille.openAgenda();
    await camille.badge("Google connecté").waitFor();
    await camille.createRdv({ patient: "Léa Exemple", type: "Implant" });
    await expect.poll(() => stage.google.titles()).toEqual(["[Cassius] Implant — Léa Exemple"]);
    const [event] = await stage.google.events();
    expect(event?.calendar_id).toBe(ROOMS);
  });

  chapter("5. a RDV that is edited changes its event", async ({ stage }) => {
    const [before] = await stage.google.events();
    await camille.nextWeek();
    await camille.rdv("Léa Exemple").click();
    await camille.fillRdv({ patient: "Léa Exemple", type: "Contrôle", day: 2, hour: 15 });
    await expect.poll(() => stage.google.titles()).toEqual(["[Cassius] Contrôle — Léa Exemple"]);
    const [after] = await stage.google.events();
    expect(after?.id).toBe(before?.id);
    expect(after?.start.dateTime).toContain("T15:00:00");
  });

  chapter("6. a RDV that is cancelled takes its event away", async ({ stage }) => {
    await camille.rdv("Léa Exemple").click();
    await camille.button("Annuler le RDV").click();
    await expect.poll(() => stage.google.titles()).toEqual([]);
    expect(await stage.google.writes()).toEqual(["events.insert", "events.patch", "events.delete"]);
  });

  chapter("7. statuses are visible, and errors are tried again", async ({ stage }) => {
    await stage.google.fault({
      operation: "events.insert",
      times: 1,
      fault: { kind: "error", code: 400, reason: "badRequest" },
    });
    await camille.createRdv({ patient: "Paul Modèle", day: 3 });
    await camille.openSettings();
    const errors = camille.section("À traiter");
    await errors.getByText("1 rendez-vous en erreur").waitFor();
    await errors.getByText("Google a refusé cet événement.").waitFor();
    await stage.picture(camille.page, "acceptance-refused");
    await errors.getByRole("button", { name: /^Réessayer le rendez-vous du/ }).click();
    await errors.getByText("Aucun rendez-vous à traiter").waitFor();
    await expect.poll(() => stage.google.titles()).toEqual(["[Cassius] Contrôle — Paul Modèle"]);
    await camille.section("Connexion").getByText("2 RDV synchronisés").waitFor();
  });

  chapter("8. it disconnects cleanly, and no token has ever come near the browser", async ({ stage }) => {
    await camille.section("Connexion").getByRole("button", { name: "Déconnecter" }).click();
    await camille.page.getByRole("radio", { name: "Garder les événements" }).waitFor();
    await camille.page.getByRole("alertdialog").getByRole("button", { name: "Déconnecter" }).click();
    await camille.status("Non connecté").waitFor();
    await camille.said("Google Calendar est déconnecté.");
    expect(await stage.google.count("revoke")).toBe(1);
    expect(await stage.google.titles()).toEqual(["[Cassius] Contrôle — Paul Modèle"]);
    await camille.openAgenda();
    await camille.createRdv({ patient: "Nina Essai", day: 4 });
    await camille.badge("Google").waitFor({ state: "detached" });
    expect(await stage.google.titles()).toEqual(["[Cassius] Contrôle — Paul Modèle"]);
    expect(await stage.leaks()).toEqual([]);
  });
});
