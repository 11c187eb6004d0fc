/** What goes wrong once Google is connected: it is seen where people work, told in words, and mended from the page. */
import { expect } from "vitest";

import { ACCOUNT, ROOMS } from "./stage/google.js";
import { Stage } from "./stage/stage.js";
import { test, withBrowser } from "./stage/test.js";

test("a grant revoked at Google turns the badge; reconnecting sends what waited, without a double", async ({
  stage,
}) => {
  const camille = await stage.person();
  await camille.connected();
  await camille.openAgenda();
  await camille.createRdv({ patient: "Léa Exemple" });
  await expect.poll(() => stage.google.titles()).toHaveLength(1);

  await stage.google.revoke();
  await camille.createRdv({ patient: "Paul Modèle", day: 2 });
  await camille.badge("Sync Google en erreur").waitFor();
  await stage.picture(camille.page, "badge-error", false);
  await camille.badge("Sync Google en erreur").click();
  await camille.status("En erreur").waitFor();
  await camille.health.getByText("Google n’autorise plus Cassius à écrire").waitFor();
  await expect.poll(() => camille.health.evaluate((place) => place === document.activeElement)).toBe(true);
  await stage.picture(camille.page, "reconnect-needed");

  await camille.connect({}, "Reconnecter Google Calendar");
  await camille.status("Connecté").waitFor();
  await expect
    .poll(() => stage.google.titles())
    .toEqual(["[Cassius] Contrôle — Léa Exemple", "[Cassius] Contrôle — Paul Modèle"]);
  await camille.openAgenda();
  await camille.badge("Google connecté").waitFor();
});

test("a calendar deleted at Google is told; another one is chosen, and everything is there", async ({ stage }) => {
  const camille = await stage.person();
  await camille.connected();
  await camille.openSettings();
  await camille.changeCalendar("Fauteuils et salles");
  await camille.openAgenda();
  await camille.createRdv({ patient: "Léa Exemple" });
  await expect.poll(() => stage.google.titles()).toHaveLength(1);

  // The page of the settings stays open all along: what it knew of the calendars is from before.
  const second = await camille.another();
  await second.openAgenda();
  await camille.openSettings();
  await camille.button("Changer de calendrier").click();
  await camille.page.getByRole("dialog").getByText("C’est le calendrier actuel").waitFor();
  await camille.page.keyboard.press("Escape");
  await stage.google.removeCalendar(ROOMS);
  await second.createRdv({ patient: "Paul Modèle", day: 2 });
  await second.badge("Sync Google en erreur").waitFor();
  await camille.health.getByText("Le calendrier n’est plus accessible").waitFor();
  await stage.picture(camille.page, "calendar-gone");
  await camille.button("Choisir un autre calendrier").click();
  await camille.page.getByRole("dialog").getByRole("button", { name: "Changer de calendrier" }).click();
  await camille.status("Connecté").waitFor();
  await expect
    .poll(async () => (await stage.google.events()).map(({ summary, calendar_id }) => [summary, calendar_id]))
    .toEqual([
      ["[Cassius] Contrôle — Léa Exemple", ACCOUNT],
      ["[Cassius] Contrôle — Paul Modèle", ACCOUNT],
    ]);
});

test("while the service is away RDV are kept, and it has them soon after it is back", async ({ stage }) => {
  const camille = await stage.person();
  await camille.connected();
  await camille.openSettings();
  const second = await camille.another();
  await second.openAgenda();
  await second.badge("Google connecté").waitFor();

  await stage.service.stop();
  await camille.said("Le service de synchronisation ne répond pas");
  await stage.picture(camille.page, "service-away");
  await second.button("Nouveau RDV").click();
  await second.fillRdv({ patient: "Léa Exemple" });
  await second.said("Le service de calendrier est absent : il l’aura dès son retour.");
  expect(await second.page.locator(".app-agenda").isVisible()).toBe(true);

  await stage.service.start();
  await expect.poll(() => stage.google.titles(), { timeout: 30_000 }).toEqual(["[Cassius] Contrôle — Léa Exemple"]);
  await camille.page.getByText("Le service de synchronisation ne répond pas").waitFor({ state: "detached" });
  await camille.status("Connecté").waitFor();
});

test("whoever hangs with every connection open, service or host, is told within 15 s; nothing is green then", async ({
  stage,
}) => {
  const camille = await stage.person();
  await camille.connected();
  await camille.openSettings();
  await camille.status("Connecté").waitFor();
  const second = await camille.another();
  await second.openAgenda();
  await second.badge("Google connecté").waitFor();
  await second.createRdv({ patient: "Ada Exemple" });
  await second.nextWeek();
  const rdv = second.rdv("Ada Exemple");
  const isSent = () => rdv.getByText(/^Dans Google depuis [^(]*$/).waitFor({ state: "attached" });
  await isSent();
  // And what a busy machine adds.
  const withinMs = { timeout: 17_000 };
  const away = () => camille.health.getByText("Le service de synchronisation ne répond pas");
  for (const [hang, goOn] of [
    [() => stage.service.freeze(), () => stage.service.thaw()],
    [() => stage.freezeHost(), () => stage.thawHost()],
  ] as const) {
    hang();
    await Promise.all([away().waitFor(withinMs), second.badge("Google : état inconnu").waitFor(withinMs)]);
    await rdv.getByText(/^Dans Google depuis .* \(dernier état connu\)$/).waitFor({ state: "attached" });
    for (const { page } of [camille, second]) expect(await page.locator(".cc-tone-success").count()).toBe(0);
    await stage.picture(second.page, "service-away-in-the-agenda", false);
    goOn();
    await camille.status("Connecté").waitFor(withinMs);
    await second.badge("Google connecté").waitFor(withinMs);
    await isSent();
  }
});

test("a page opened while the service is away says so, and recovers by itself", async ({ stage }) => {
  const camille = await stage.person();
  await stage.service.stop();
  await camille.page.goto("/settings/integrations/google-calendar");
  await camille.said("Le service de synchronisation ne répond pas");
  await stage.picture(camille.page, "service-away-at-opening");
  const second = await camille.another();
  await second.page.goto("/settings/integrations");
  await second.said("Indisponible");

  await stage.service.start();
  await camille.status("Non connecté").waitFor({ timeout: 30_000 });
  await second.page.getByText("Non connecté").waitFor({ timeout: 30_000 });
});

test("what Google refuses is listed by its date, and « Tout réessayer » sends all of it", async ({ stage }) => {
  const camille = await stage.person();
  await camille.connected();
  await stage.google.fault({ operation: "events.insert", fault: { kind: "error", code: 400, reason: "badRequest" } });
  await camille.openAgenda();
  await camille.createRdv({ patient: "Léa Exemple", hour: 9 });
  await camille.createRdv({ patient: "Paul Modèle", day: 2, hour: 14 });
  await camille.openSettings();
  const errors = camille.section("À traiter");
  await errors.getByText("2 rendez-vous en erreur").waitFor();
  await errors.getByText(/ 9\sh\s00/).waitFor();
  await errors.getByText(/ 14\sh\s00/).waitFor();
  // Type and patient are the host's own words; the service has told the page neither.
  await errors.getByText("Contrôle — Léa Exemple").waitFor();
  await errors.getByText("Détails").first().click();
  await errors.getByRole("button", { name: /Copier l’identifiant technique/ }).waitFor();
  await stage.picture(camille.page, "refused-two");

  await stage.google.heal();
  await camille.button("Tout réessayer").click();
  await camille.said("2 rendez-vous vont être réessayés.");
  await errors.getByText("Aucun rendez-vous à traiter").waitFor();
  await expect.poll(() => stage.google.titles()).toHaveLength(2);
});

test("being throttled is told as a delay with the time of the next try, and not as an error", async ({ stage }) => {
  const camille = await stage.person();
  await camille.connected();
  await stage.google.fault({
    operation: "events.*",
    fault: { kind: "error", code: 403, reason: "rateLimitExceeded", retry_after_seconds: 600 },
  });
  await camille.openAgenda();
  await camille.createRdv({ patient: "Léa Exemple" });
  await camille.badge("Google connecté").getByText("L’envoi vers Google est retardé").waitFor({ state: "attached" });
  await camille.openSettings();
  await camille.status("Envoi retardé").waitFor();
  await camille.health.getByText("Google demande de patienter").waitFor();
  await camille.health.getByText(/Prochain essai/).waitFor();
  await camille.section("Connexion").getByText("Retardée").waitFor();
  await stage.picture(camille.page, "throttled");
});

withBrowser(
  "a session that ends in another window is told on the open page, and nothing of it stays",
  async ({ browser, onTestFinished }) => {
    const stage = await Stage.set(browser, { SESSION_CHECK_SECONDS: "1" });
    onTestFinished(async () => expect(await stage.end()).toEqual([]));
    const camille = await stage.person();
    await camille.connected();
    await camille.openSettings();
    await camille.status("Connecté").waitFor();
    const second = await camille.another();
    await second.openSettings();
    await second.status("Connecté").waitFor();

    expect(await second.ask("DELETE", "session", {})).toBe(200);
    for (const person of [camille, second]) {
      await person.said("Votre session a expiré");
      expect(await person.page.locator(".cc-tone-success").count()).toBe(0);
      expect(await person.page.getByText(ACCOUNT).count()).toBe(0);
    }
    await stage.picture(camille.page, "session-ended");
  },
);
