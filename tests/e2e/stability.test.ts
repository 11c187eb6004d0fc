/**
 * Nothing jumps, nothing is lost: pages stay where they were first drawn, the focus is never left without a place, and a
 * RDV that could not be saved stays in its form, with the words why.
 */
import type { Locator, Page, Request } from "playwright-core";
import { expect } from "vitest";

import { ACCOUNT, OTHER_ACCOUNT, ROOMS } from "./stage/google.js";
import { nextWeek, type Person } from "./stage/person.js";
import { countShifts, moved, STILL } from "./stage/shifts.js";
import type { Stage } from "./stage/stage.js";
import { test } from "./stage/test.js";

/** What has the focus, by its kind and its words. */
async function focused(page: Page): Promise<string> {
  return await page.evaluate(() => {
    const { activeElement } = document;
    if (activeElement === null || activeElement === document.body) return "nothing";
    return `${activeElement.localName}: ${activeElement.textContent}`;
  });
}

async function expectFocus(page: Page, words: string): Promise<void> {
  await expect.poll(() => focused(page)).toContain(words);
}

/** Does what a button does, by keyboard. */
async function press(camille: Person, name: string): Promise<void> {
  await camille.button(name).focus();
  await camille.page.keyboard.press("Enter");
}

async function closed(page: Page): Promise<void> {
  await page.getByRole("dialog").waitFor({ state: "detached" });
}

/** Expects of the page that stands that nothing in it has moved, as far as an eye follows. */
async function expectStill(page: Page, where: string): Promise<void> {
  const { shift, movers } = await moved(page);
  expect(shift, `layout shift of ${where}: ${movers.join(", ")}`).toBeLessThanOrEqual(STILL);
}

for (const width of [1280, 320]) {
  test(`the calendar stays where it was first drawn, at ${width} px`, async ({ stage }) => {
    const camille = await stage.person("Dr Camille Roche", { viewport: { width, height: 800 } });
    const { page } = camille;
    await countShifts(page);
    const seen = async (where: string) => {
      await page.locator(".app-grid [role=row]").first().waitFor();
      await page.locator(".cc-skeleton").first().waitFor({ state: "detached" });
      await expectStill(page, where);
    };
    await camille.openAgenda();
    await seen("the calendar without Google");

    await camille.connected();
    await camille.openAgenda();
    await camille.badge("Google connecté").waitFor();
    await seen("the calendar with Google");

    const top = async () => (await page.locator(".app-grid").boundingBox())?.y;
    const before = await top();
    await stage.service.stop();
    await camille.button("Nouveau RDV").click();
    await camille.fillRdv({ patient: "Léa Exemple" });
    await camille.said("Le service de calendrier est absent");
    await stage.picture(page, `rdv-kept-${width}`, false);
    expect(await top(), "the top of the grid after a RDV").toBe(before);
    expect(
      await page.locator(".app-outcome").evaluate(({ scrollHeight, clientHeight }) => scrollHeight - clientHeight),
    ).toBe(0);
  });
}

for (const width of [1280, 320]) {
  test(`the settings stay where they were first drawn, at ${width} px`, async ({ stage }) => {
    const camille = await stage.person("Dr Camille Roche", { viewport: { width, height: 800 } });
    const { page } = camille;
    await countShifts(page);
    const seen = async (path: string, where: string) => {
      await page.goto(path);
      await page.locator(".cassius-calendar").first().waitFor();
      await expect.poll(() => page.locator(".cc-skeleton").count()).toBe(0);
      await expectStill(page, where);
    };
    const google = "/settings/integrations/google-calendar";
    await seen("/settings/integrations", "the integrations without Google");
    await seen(google, "the Google page, not connected");
    await camille.connected();
    await seen("/settings/integrations", "the integrations with Google");
    await seen(google, "the Google page, connected");
  });
}

/** Windows of the same person that stand open at the settings, in each width, and how far each thing moves in them. */
async function watch(stage: Stage, camille: Person) {
  const watching = [camille];
  for (const width of [768, 320]) watching.push(await camille.another({ viewport: { width, height: 800 } }));
  for (const { page } of watching) await countShifts(page);
  for (const each of watching) {
    await each.openSettings();
    await each.section("Aperçu").locator("article").waitFor();
  }
  const seen: [string, number, { shift: number; movers: string[] }][] = [];
  const shows = async (where: string, words: (of: Person) => Locator) => {
    // Side by side: some of it is soon over.
    await Promise.all(watching.map((each) => words(each).first().waitFor()));
    for (const { page } of watching) {
      const width = page.viewportSize()?.width ?? 0;
      seen.push([where, width, await moved(page)]);
      await stage.picture(page, `shown ${where} ${width}`);
    }
  };
  return { shows, tooFar: () => seen.filter(([, , { shift }]) => shift > STILL) };
}

const health = (words: string | RegExp) => (of: Person) => of.health.getByText(words);
const inSight = (words: string) => (of: Person) => of.page.getByText(words);

/** Does by its addresses what a page of this person's does. */
function byAddress(person: Person) {
  return async (method: string, route: string, body: object) => {
    expect(await person.ask(method, `integrations/google/${route}`, body)).toBe(200);
  };
}

test("the settings stay where they are whatever their state becomes by itself", async ({ stage }) => {
  const camille = await stage.person();
  await camille.connected();
  const second = await camille.another();
  await second.openAgenda();
  const { shows, tooFar } = await watch(stage, camille);
  const ask = byAddress(second);
  await shows("the Google page, connected", ({ page }) => page.locator("body"));

  await second.createRdv({ patient: "Léa Exemple" });
  await shows("an appointment that was sent", inSight("1 RDV synchronisé"));
  await ask("PATCH", "settings", { isEnabled: false });
  await shows("a pause", health("La synchronisation est en pause"));
  await ask("PATCH", "settings", { isEnabled: true });
  await shows("its end", health("Tout est en ordre"));
  await stage.google.fault({ operation: "events.*", fault: { kind: "latency", ms: 700 } });
  await ask("PATCH", "settings", { calendarId: ROOMS });
  await shows("a catch-up", ({ page }) => page.getByRole("progressbar"));
  await shows("its end", health("Tout est en ordre"));
  await stage.google.heal();
  await ask("PATCH", "settings", { titlePrivacy: "initials" });
  await shows("other titles", (of) => of.section("Aperçu").getByText(/^\[Cassius\] .+ — \S\. \S\.$/));

  const refused = { kind: "error", code: 400, reason: "badRequest" } as const;
  await stage.google.fault({ operation: "events.insert", fault: refused });
  await second.createRdv({ patient: "Paul Modèle", day: 2 });
  await shows("an appointment that was refused", (of) => of.section("À traiter").getByText("Contrôle — Paul Modèle"));
  await stage.google.heal();
  await ask("POST", "retry", {});
  await shows("one that was tried again", inSight("2 RDV synchronisés"));

  await stage.service.stop();
  await shows("a service that goes away", inSight("Le service de synchronisation ne répond pas"));
  await stage.service.start();
  await shows("a service that is back", health("Tout est en ordre"));
  await stage.google.revoke();
  await second.createRdv({ patient: "Nina Essai", day: 3 });
  await shows("a grant that was revoked", health("Google n’autorise plus Cassius à écrire"));
  await second.openSettings();
  await second.connect({}, "Reconnecter Google Calendar");
  await shows("one that is there again", health("Tout est en ordre"));
  const throttled = { kind: "error", code: 403, reason: "rateLimitExceeded", retry_after_seconds: 600 } as const;
  await stage.google.fault({ operation: "events.*", fault: throttled });
  await second.openAgenda();
  await second.createRdv({ patient: "Elsa Essai", day: 4 });
  await shows("a delay", health("Google demande de patienter"));
  expect(tooFar()).toEqual([]);
});

test("so they do from before the first connection to after a disconnect", async ({ stage }) => {
  const camille = await stage.person();
  const second = await camille.another();
  await second.openAgenda();
  await second.createRdv({ patient: "Léa Exemple" });
  await second.createRdv({ patient: "Paul Modèle", day: 2 });
  const { shows, tooFar } = await watch(stage, camille);
  const ask = byAddress(second);
  await shows("the Google page, not connected", health("Connectez le compte Google du cabinet"));
  await second.connected();
  await shows("a first connection", health("2 rendez-vous à venir ne sont pas encore dans Google"));
  await ask("POST", "sync-now", {});
  await shows("the first sending", health("Tout est en ordre"));

  await ask("PATCH", "settings", { calendarId: ROOMS });
  await expect
    .poll(async () => (await stage.google.events()).map((event) => event.calendar_id))
    .toEqual([ROOMS, ROOMS]);
  await shows("another calendar", (of) => of.section("Connexion").getByText("Fauteuils et salles"));
  await stage.google.removeCalendar(ROOMS);
  await second.createRdv({ patient: "Nina Essai", day: 3 });
  await shows("a calendar that is gone", health("Le calendrier n’est plus accessible"));
  await ask("PATCH", "settings", { calendarId: ACCOUNT });
  await shows("another one in its place", health("Tout est en ordre"));

  await second.connected(OTHER_ACCOUNT, "other_account");
  await shows("a question about another account", health("Quel compte Google garder"));
  await ask("POST", "confirm-account", { accept: false });
  await shows("its answer", health("Tout est en ordre"));

  await stage.google.fault({ operation: "events.delete", fault: { kind: "error", code: 503, reason: "backendError" } });
  const disconnects = ask("POST", "disconnect", { remoteEvents: "delete_upcoming" });
  await shows("a disconnect that takes its time", health("Déconnexion en cours"));
  await disconnects;
  await ask("POST", "disconnect", { remoteEvents: "keep" });
  await shows("its end", health("Connectez le compte Google du cabinet"));
  await second.connected();
  await shows("a connection anew", health("Tout est en ordre"));
  await ask("POST", "disconnect", { remoteEvents: "keep" });
  await shows("a disconnect at once", health("Connectez le compte Google du cabinet"));
  expect(tooFar()).toEqual([]);
});

test("a comparison with Google moves nothing, whatever it finds and however late", async ({ stage }) => {
  const camille = await stage.person();
  await camille.connected();
  const narrow = await camille.another({ viewport: { width: 320, height: 800 } });
  await camille.openAgenda();
  await camille.createRdv({ patient: "Léa Exemple" });
  await camille.createRdv({ patient: "Paul Modèle", day: 2 });
  await expect.poll(() => stage.google.titles()).toHaveLength(2);
  const measured: [string, { shift: number; movers: string[] }][] = [];
  const seen = async (where: string, { page }: Person) => {
    measured.push([`${where} at ${page.viewportSize()?.width ?? 0}`, await moved(page)]);
  };
  // Longer than what the browser takes for the answer to a press.
  await stage.google.fault({ operation: "events.list", fault: { kind: "latency", ms: 700 } });
  const compare = async (where: string, words: string | RegExp) => {
    for (const each of [camille, narrow]) {
      await press(each, "Comparer avec Google");
      await each.page.getByRole("group", { name: "Dernière comparaison" }).getByText(words).waitFor();
      await seen(where, each);
    }
  };
  for (const each of [camille, narrow]) {
    await countShifts(each.page);
    await each.openSettings();
  }
  await compare("all in step", "2 rendez-vous à venir, 2 événements dans Google · Tout concorde");
  const [first] = await stage.google.events();
  if (first) await stage.google.removeEvent(first);
  const calls = await stage.google.writes();
  await compare("one missing", /1 événement dans Google · 1 manquant · 0 modifié · 0 en trop$/);
  await stage.picture(camille.page, "compared");
  await stage.picture(narrow.page, "compared-narrow");
  expect(await stage.google.writes()).toEqual(calls);

  await stage.google.heal();
  await press(camille, "Corriger");
  await expect.poll(() => stage.google.titles()).toHaveLength(2);
  await camille.health.getByText("Tout est en ordre").waitFor();
  await seen("put right", camille);
  await press(narrow, "Comparer avec Google");
  await narrow.said("2 rendez-vous à venir, 2 événements dans Google · Tout concorde");
  expect(measured.filter(([, { shift }]) => shift > STILL)).toEqual([]);
});

test("a comparison that could not look everywhere says so, and claims no more", async ({ stage }) => {
  const camille = await stage.person();
  await camille.connected();
  await camille.openAgenda();
  await camille.createRdv({ patient: "Léa Exemple" });
  await expect.poll(() => stage.google.titles()).toHaveLength(1);
  await stage.google.fault({
    operation: "calendarList.list",
    fault: { kind: "error", code: 403, reason: "insufficientPermissions" },
  });
  await camille.openSettings();
  await camille.button("Comparer avec Google").click();
  await camille.said(/Des agendas du compte n’ont pas pu être consultés$/);
  await stage.picture(camille.page, "compared-in-part");
});

test("whichever way the form of a RDV ends, the focus goes back, or to the title of the page", async ({ stage }) => {
  const camille = await stage.person();
  const { page } = camille;
  await camille.openAgenda();

  await press(camille, "Nouveau RDV");
  await press(camille, "Fermer");
  await closed(page);
  await expectFocus(page, "button: Nouveau RDV");

  await press(camille, "Nouveau RDV");
  await camille.fillRdv({ patient: "Léa Exemple" });
  await expectFocus(page, "button: Nouveau RDV");

  await camille.nextWeek();
  const open = async () => {
    await camille.rdv("Léa Exemple").focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
  };
  await open();
  await page.keyboard.press("Escape");
  await closed(page);
  await expectFocus(page, "Léa Exemple");

  await open();
  await press(camille, "Annuler le RDV");
  await closed(page);
  await camille.said("RDV annulé.");
  await expectFocus(page, "Annulé : Contrôle — Léa Exemple");

  await open();
  await press(camille, "Supprimer");
  await closed(page);
  await camille.said("RDV supprimé.");
  await expectFocus(page, "h1: Agenda");
});

test("signing out and in puts the focus on the title of the page that comes", async ({ stage }) => {
  const camille = await stage.person();
  const { page } = camille;
  await camille.openAgenda();
  expect(await focused(page)).toBe("nothing");
  await expect.poll(() => page.title()).toBe("Agenda · Cassius");

  await press(camille, "Se déconnecter");
  await camille.button("Dr Hugo Vasseur").waitFor();
  // What was asked for before may be refused meanwhile.
  const asked = new Set<Request>();
  page.on("request", (request) => asked.add(request));
  const refused: string[] = [];
  page.on("response", (response) => {
    if (response.status() === 401 && asked.has(response.request())) refused.push(response.url());
  });
  await expectFocus(page, "h1: Cassius");
  expect(await page.title()).toBe("Connexion · Cassius");

  await press(camille, "Dr Hugo Vasseur");
  await camille.button("Nouveau RDV").waitFor();
  await expectFocus(page, "h1: Agenda");
  // Nothing of the person before is asked for once nobody is signed in.
  expect(refused).toEqual([]);
});

test("a RDV that cannot be saved stays in its form, with the words why; it is saved once the network is back", async ({
  stage,
}) => {
  const camille = await stage.person();
  const { page } = camille;
  await camille.openAgenda();
  await camille.button("Nouveau RDV").click();
  await page.getByLabel("Patient").fill("Léa Exemple");
  // The next half hour, which the form begins with, may lie on a weekend or in the night: the grid shows neither.
  await page.getByLabel("Début").fill(nextWeek(1, 10));

  await page.context().setOffline(true);
  await camille.button("Enregistrer").click();
  const form = page.getByRole("dialog");
  await form.getByRole("alert").getByText("Cassius est injoignable.").waitFor();
  await stage.picture(page, "rdv-offline", false);
  expect(await page.getByLabel("Patient").inputValue()).toBe("Léa Exemple");

  await page.context().setOffline(false);
  await camille.button("Enregistrer").click();
  await closed(page);
  await camille.said("RDV enregistré.");
  await camille.nextWeek();
  await camille.rdv("Léa Exemple").waitFor();
});

test("a date of a RDV is written digit by digit, and no year takes the form down", async ({ stage }) => {
  const camille = await stage.person();
  const { page } = camille;
  await camille.openAgenda();
  await camille.button("Nouveau RDV").click();
  await page.getByLabel("Patient").fill("Léa Exemple");
  const start = page.getByLabel("Début");
  await start.fill(nextWeek(1, 10));
  const end = await page.getByLabel("Fin").inputValue();
  expect(end).toBe(nextWeek(1, 10).replace("10:00", "10:30"));

  await start.fill("123456-02-05T10:00");
  await camille.button("Enregistrer").click();
  expect(await start.evaluate((field: HTMLInputElement) => field.validity.rangeOverflow)).toBe(true);
  expect(await page.getByLabel("Fin").inputValue()).toBe(end);

  const nextYear = String(new Date().getFullYear() + 1);
  await start.fill(nextWeek(1, 10));
  await start.focus();
  // The year is the third part of the field, in French as in English.
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.type(nextYear);
  expect(await start.inputValue()).toBe(nextWeek(1, 10).replace(/^\d+/, nextYear));
  expect(await page.getByLabel("Fin").inputValue()).toBe(end.replace(/^\d+/, nextYear));
  await camille.button("Enregistrer").click();
  await closed(page);
  expect(stage.faults).toEqual([]);
});

test("the link that an event bears opens its RDV in its week, and one that leads nowhere says so", async ({
  stage,
}) => {
  const camille = await stage.person();
  const { page } = camille;
  await camille.openAgenda();
  const answered = page.waitForResponse((response) => response.url().endsWith("/api/rdv"));
  await camille.createRdv({ patient: "Léa Exemple", day: 22 });
  const { rdv } = (await (await answered).json()) as { rdv: { id: string } };

  for (const link of [`/calendar?rdv=${rdv.id}`, `/appointments/${rdv.id}`]) {
    await page.goto(link);
    await page.getByRole("dialog").waitFor();
    expect(await page.getByLabel("Patient").inputValue()).toBe("Léa Exemple");
    await page.keyboard.press("Escape");
    await closed(page);
    await camille.rdv("Léa Exemple").waitFor();
  }

  await page.goto("/appointments/exemple");
  await camille.said("Ce RDV n’existe pas, ou n’existe plus.");
});
