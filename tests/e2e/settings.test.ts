/** What is set and started from the page, and what becomes of it at Google. */
import { expect } from "vitest";

import { violationsOf } from "./stage/axe.js";
import { ACCOUNT, OTHER_ACCOUNT, ROOMS } from "./stage/google.js";
import { test } from "./stage/test.js";

const SWITCH = "Synchroniser les RDV Cassius vers Google";

test("« Changer de calendrier » says how many events will move, and they move", async ({ stage }) => {
  const camille = await stage.person();
  await camille.connected();
  await camille.openAgenda();
  await camille.createRdv({ patient: "Léa Exemple", day: 1 });
  await camille.createRdv({ patient: "Paul Modèle", day: 2 });
  await expect.poll(() => stage.google.titles()).toHaveLength(2);

  await camille.openSettings();
  await camille.button("Changer de calendrier").click();
  await camille.chooseInWindow("Fauteuils et salles");
  await camille.said("2 événements à venir seront déplacés vers « Fauteuils et salles ».");
  await stage.picture(camille.page, "change-calendar", false);
  await camille.page.getByRole("dialog").getByRole("button", { name: "Changer de calendrier" }).click();
  await camille.said("Le calendrier est maintenant « Fauteuils et salles ».");
  await expect
    .poll(async () => (await stage.google.events()).map(({ calendar_id }) => calendar_id))
    .toEqual([ROOMS, ROOMS]);
});

test("the switch shows at once, and falls back when it could not be saved", async ({ stage }) => {
  const camille = await stage.person();
  await camille.connected();
  await camille.openSettings();
  const toggle = camille.page.getByRole("switch", { name: SWITCH });
  expect(await toggle.isChecked()).toBe(true);

  await stage.service.stop();
  await camille.flip(SWITCH);
  expect(await toggle.isChecked()).toBe(false);
  await camille.said("La modification n’a pas été enregistrée, le réglage précédent est rétabli.");
  await expect.poll(() => toggle.isChecked()).toBe(true);
  await stage.picture(camille.page, "rolled-back", false);

  await stage.service.start();
  await camille.page.getByText("Le service de synchronisation ne répond pas").waitFor({ state: "detached" });
  await camille.flip(SWITCH);
  await camille.said("La synchronisation est en pause.");
  await camille.page.reload();
  await camille.settled();
  expect(await toggle.isChecked()).toBe(false);
});

test("paused, RDV are kept; turning it on again sends them and counts them as they go", async ({ stage }) => {
  const camille = await stage.person();
  await camille.connected();
  await camille.openSettings();
  await camille.flip(SWITCH);
  await camille.said("La synchronisation est en pause.");
  await camille.openAgenda();
  for (const [index, patient] of ["Ada", "Bea", "Cleo", "Dora", "Elsa", "Fanny"].entries())
    await camille.createRdv({ patient: `${patient} Exemple`, day: index % 5, hour: 9 + index });
  expect(await stage.google.titles()).toEqual([]);
  expect(await stage.google.count("events.insert")).toBe(0);

  await stage.google.fault({ operation: "events.insert", fault: { kind: "latency", ms: 500 } });
  await camille.openSettings();
  await camille.flip(SWITCH);
  await camille.said("La synchronisation est activée. 6 rendez-vous à envoyer.");
  const bar = camille.page.getByRole("progressbar", { name: "Synchronisation en cours" });
  await bar.waitFor();
  await expect.poll(async () => Number(await bar.getAttribute("aria-valuenow"))).toBeGreaterThan(0);
  expect(await bar.getAttribute("aria-valuemax")).toBe("6");
  await stage.picture(camille.page, "syncing");
  await camille.said("6 rendez-vous envoyés.");
  await bar.waitFor({ state: "detached" });
  expect(await stage.google.titles()).toHaveLength(6);
  await camille.said("6 RDV synchronisés");
});

test("the privacy of titles changes the preview at once, and the events at Google after", async ({ stage }) => {
  const camille = await stage.person();
  await camille.connected();
  await camille.openAgenda();
  await camille.createRdv({ patient: "Léa Exemple", type: "Implant" });
  await expect.poll(() => stage.google.titles()).toEqual(["[Cassius] Implant — Léa Exemple"]);

  await camille.openSettings();
  const preview = camille.section("Aperçu");
  await preview.getByText(/^\[Cassius\] .+ — \S+ \S+$/).waitFor();
  await camille.choose("Initiales");
  await preview.getByText(/^\[Cassius\] .+ — \S\. \S\.$/).waitFor();
  await expect.poll(() => stage.google.titles()).toEqual(["[Cassius] Implant — L. E."]);
  await camille.choose("Masqué");
  await preview.getByText("[Cassius] Rendez-vous", { exact: true }).waitFor();
  await expect.poll(() => stage.google.titles()).toEqual(["[Cassius] Rendez-vous"]);
});

test("the privacy that is chosen before the consent is the one that the first events have", async ({ stage }) => {
  const camille = await stage.person();
  await camille.openSettings();
  await camille.choose("Masqué");
  await camille.said(/Confidentialité des titres.: Masqué/);
  await camille.section("Aperçu").getByText("[Cassius] Rendez-vous", { exact: true }).waitFor();
  await stage.picture(camille.page, "privacy-before");
  expect(await violationsOf(camille.page)).toEqual([]);
  await camille.connect();
  await camille.status("Connecté").waitFor();
  await camille.openAgenda();
  await camille.createRdv({ patient: "Léa Exemple" });
  await expect.poll(() => stage.google.titles()).toEqual(["[Cassius] Rendez-vous"]);
});

test("what stood in Cassius before the first connection waits for calendar, privacy and a word", async ({ stage }) => {
  const camille = await stage.person();
  await camille.openAgenda();
  for (const [index, patient] of ["Ada", "Bea", "Cleo"].entries())
    await camille.createRdv({ patient: `${patient} Exemple`, day: index, hour: 9 });
  await camille.createRdv({ patient: "Dora Exemple", day: -14, hour: 9 });
  // While nothing is connected the agenda itself leads to where that is done.
  await camille.page.getByRole("link", { name: "Envoyer ces RDV dans Google Calendar" }).click();
  await camille.settled();
  await camille.connect();
  await camille.status("3 à envoyer").waitFor();
  await camille.health.getByText("3 rendez-vous à venir ne sont pas encore dans Google").waitFor();
  // What is sent with them is said with them.
  await camille.health.getByText(/ne part avant votre accord, ni les RDV passés/).waitFor();
  await stage.picture(camille.page, "first-send");
  expect(await violationsOf(camille.page)).toEqual([]);

  await camille.button("Choisir la confidentialité").click();
  const dialog = camille.page.getByRole("dialog");
  await dialog.getByText("Masqué", { exact: true }).click();
  await dialog.getByText("[Cassius] Rendez-vous", { exact: true }).waitFor();
  await dialog.getByRole("button", { name: /^Appliquer/ }).click();
  await dialog.waitFor({ state: "detached" });
  expect(await stage.google.count("events.insert")).toBe(0);
  await camille.button("Envoyer les 3 rendez-vous").click();
  await expect.poll(() => stage.google.titles()).toEqual(Array(4).fill("[Cassius] Rendez-vous"));
  await camille.status("Connecté").waitFor();

  // Each RDV says how it stands, in the grid and in its form.
  await camille.openAgenda();
  await camille.nextWeek();
  await camille
    .rdv("Ada Exemple")
    .getByText(/^Dans Google depuis/)
    .waitFor({ state: "attached" });
  await camille.rdv("Ada Exemple").click();
  await camille.page
    .getByRole("dialog")
    .getByRole("link", { name: /^Ouvrir dans Google/ })
    .waitFor();
  await stage.picture(camille.page, "rdv-in-google", false);
});

test("a RDV says what stands in Google of it, when it is called off and when it changes in a pause too", async ({
  stage,
}) => {
  const camille = await stage.person();
  await camille.connected();
  await camille.openAgenda();
  await camille.createRdv({ patient: "Léa Exemple" });
  await camille.createRdv({ patient: "Paul Modèle", day: 2 });
  await camille.nextWeek();
  const says = async (patient: string, words: string | RegExp) => {
    await camille.rdv(patient).getByText(words).waitFor({ state: "attached" });
  };
  await says("Léa Exemple", /^Dans Google depuis/);
  await says("Paul Modèle", /^Dans Google depuis/);

  await camille.rdv("Léa Exemple").click();
  await camille.button("Annuler le RDV").click();
  await says("Léa Exemple", "Pas dans Google");
  expect(await stage.google.titles()).toEqual(["[Cassius] Contrôle — Paul Modèle"]);

  expect(await camille.ask("PATCH", "integrations/google/settings", { isEnabled: false })).toBe(200);
  await camille.rdv("Paul Modèle").click();
  await camille.fillRdv({ patient: "Paul Modèle", type: "Implant", day: 2 });
  await says("Paul Modèle", "Dans Google, pas à jour");
  expect(await stage.google.titles()).toEqual(["[Cassius] Contrôle — Paul Modèle"]);
});

test("another account asks which one to keep, and what is made anew in it", async ({ stage }) => {
  const camille = await stage.person();
  await camille.connected();
  await camille.openAgenda();
  await camille.createRdv({ patient: "Léa Exemple" });
  await expect.poll(() => stage.google.titles()).toHaveLength(1);
  await stage.google.revoke();
  await camille.createRdv({ patient: "Paul Modèle", day: 2 });
  await camille.badge("Sync Google en erreur").click();

  await camille.connect({ account: OTHER_ACCOUNT }, "Reconnecter Google Calendar");
  await camille.health.getByText("Quel compte Google garder ?").waitFor();
  // Who has just chosen it is asked at once.
  const dialog = camille.page.getByRole("dialog", { name: "Quel compte Google garder ?" });
  await dialog.getByText(/à venir reste(nt)? dans l’agenda du compte accueil@/).waitFor();
  await stage.picture(camille.page, "other-account", false);
  expect(await violationsOf(camille.page)).toEqual([]);
  await camille.page.keyboard.press("Escape");
  await stage.picture(camille.page, "other-account-waits");
  expect(await violationsOf(camille.page)).toEqual([]);
  await camille.button("Répondre").click();
  await camille.button(`Reprendre avec ${ACCOUNT}`).click();
  await camille.decide({ account: OTHER_ACCOUNT });
  await camille.health.getByText("Quel compte Google garder ?").waitFor();
  await camille.button(`Passer à ${OTHER_ACCOUNT}`).click();
  await camille.said(`Google Calendar est connecté à ${OTHER_ACCOUNT}.`);
  await camille.status("Connecté").waitFor();
  await expect
    .poll(() => stage.google.titles(OTHER_ACCOUNT))
    .toEqual(["[Cassius] Contrôle — Léa Exemple", "[Cassius] Contrôle — Paul Modèle"]);
  expect(await stage.google.titles(ACCOUNT)).toEqual(["[Cassius] Contrôle — Léa Exemple"]);
});

test("a disconnect that takes its time is shown to everybody, and can be ended without deleting the rest", async ({
  stage,
}) => {
  const camille = await stage.person();
  await camille.connected();
  await camille.openAgenda();
  for (const [index, patient] of ["Ada", "Bea", "Cleo"].entries())
    await camille.createRdv({ patient: `${patient} Exemple`, day: index, hour: 9 });
  await expect.poll(() => stage.google.titles()).toHaveLength(3);
  const second = await camille.another();
  await second.openSettings();
  await stage.google.fault({ operation: "events.delete", fault: { kind: "error", code: 503, reason: "backendError" } });

  await camille.openSettings();
  await camille.section("Connexion").getByRole("button", { name: "Déconnecter" }).click();
  await camille.choose("Supprimer les événements à venir");
  await camille.page.getByRole("alertdialog").getByRole("button", { name: "Déconnecter" }).click();
  await second.health.getByText("Déconnexion en cours").waitFor();
  await stage.picture(second.page, "disconnecting");
  expect(await violationsOf(second.page)).toEqual([]);
  // Who asked for it sees it as soon, and not once its answer is there.
  await camille.button("Terminer sans supprimer").waitFor({ timeout: 5_000 });
  await second.button("Terminer sans supprimer").click();
  await second.status("Non connecté").waitFor();
  await camille.status("Non connecté").waitFor();
  expect(await stage.google.titles()).toHaveLength(3);
  expect(await stage.google.count("revoke")).toBe(1);
});

test("disconnecting deletes the upcoming events where that is asked", async ({ stage }) => {
  const camille = await stage.person();
  await camille.connected();
  await camille.openAgenda();
  await camille.createRdv({ patient: "Léa Exemple" });
  await expect.poll(() => stage.google.titles()).toHaveLength(1);
  await camille.openSettings();
  await camille.section("Connexion").getByRole("button", { name: "Déconnecter" }).click();
  await camille.choose("Supprimer les événements à venir");
  await camille.said("1 événement sera supprimé.");
  await stage.picture(camille.page, "disconnect", false);
  await camille.page.getByRole("alertdialog").getByRole("button", { name: "Déconnecter" }).click();
  await camille.said("1 événement a été supprimé.");
  expect(await stage.google.titles()).toEqual([]);
  expect(await stage.google.count("revoke")).toBe(1);
});

test("a test event is written and removed again; what was done is in the journal, and Google is one press away", async ({
  stage,
}) => {
  const camille = await stage.person();
  await camille.connected();
  await camille.openSettings();
  const { page } = camille;
  await camille.button("Envoyer un événement de test").click();
  await camille.said(/^Le test a réussi/);
  await expect.poll(() => stage.google.writes()).toEqual(["events.insert", "events.delete"]);
  expect(await stage.google.titles()).toEqual([]);
  await camille.flip(SWITCH);
  await camille.said("La synchronisation est en pause.");

  await page.getByText("Afficher les 50 dernières actions").click();
  const acts = page.getByRole("list", { name: "Journal" }).getByRole("listitem");
  await acts.filter({ hasText: "Connexion à Google commencée" }).waitFor();
  await acts.filter({ hasText: "Google Calendar est connecté." }).waitFor();
  await acts.filter({ hasText: "Réglages modifiés" }).waitFor();
  await stage.picture(page, "journal");

  const link = camille.section("Connexion").getByRole("link", { name: /^Ouvrir dans Google/ });
  const address = new URL((await link.getAttribute("href")) ?? "");
  expect([address.origin, address.searchParams.get("authuser")]).toEqual(["https://calendar.google.com", ACCOUNT]);
});

test("what is erased is gone at Google, and comes again with a new connection alone", async ({ stage }) => {
  const camille = await stage.person();
  await camille.connected();
  await camille.openAgenda();
  await camille.createRdv({ patient: "Léa Exemple" });
  await expect.poll(() => stage.google.titles()).toHaveLength(1);
  await camille.openSettings();
  await camille.button("Effacer les données").click();
  const dialog = camille.page.getByRole("alertdialog");
  await dialog.getByText("Dans Google : les événements que Cassius a écrits, passés et à venir").waitFor();
  await stage.picture(camille.page, "erase", false);
  expect(await violationsOf(camille.page)).toEqual([]);
  await dialog.getByRole("button", { name: "Effacer les données" }).click();
  await camille.said("Les données de la synchronisation sont effacées.");
  await camille.status("Non connecté").waitFor();
  expect(await stage.google.titles()).toEqual([]);
  expect(await stage.google.count("revoke")).toBe(1);

  // Somebody who may only look may not erase, whatever they send.
  const nadia = await stage.person("Nadia Ferret");
  expect(await nadia.ask("POST", "integrations/google/erase", {})).toBe(403);

  await camille.connect();
  await expect.poll(() => stage.google.titles()).toEqual(["[Cassius] Contrôle — Léa Exemple"]);
});

test("a RDV that is dragged takes its event along", async ({ stage }) => {
  const camille = await stage.person();
  await camille.connected();
  await camille.openAgenda();
  await camille.createRdv({ patient: "Léa Exemple", day: 1, hour: 10 });
  await expect.poll(() => stage.google.titles()).toHaveLength(1);
  await camille.nextWeek();
  await camille.drag("Léa Exemple", 96);
  await expect.poll(async () => (await stage.google.events())[0]?.start.dateTime).not.toContain("T10:00:00");
  expect(await stage.google.titles()).toHaveLength(1);
});

test("what Cassius cannot read is told as the request's fault, not as its own", async ({ stage }) => {
  const { request } = (await stage.person()).page;
  const headers = { "content-type": "application/json" };
  expect((await request.post("/api/rdv", { headers, data: "{" })).status()).toBe(400);
  expect((await request.post("/api/rdv", { headers, data: JSON.stringify("a".repeat(20_000)) })).status()).toBe(413);
  expect((await request.put("/api/rdv/%E0%A4%A", { headers, data: {} })).status()).toBe(400);
});
