/** What can come of the consent page besides a connection, each told in words and mended by trying again. */
import { expect } from "vitest";

import { ACCOUNT } from "./stage/google.js";
import { test } from "./stage/test.js";

test("a refusal is told, stores nothing, and can be followed by a consent", async ({ stage }) => {
  const camille = await stage.person();
  await camille.openSettings();
  await camille.connect({ refuse: true });
  await camille.health.getByText("La connexion a été annulée.").waitFor();
  await camille.status("Non connecté").waitFor();
  expect(await stage.google.noteTokens()).toBe(0);
  await stage.picture(camille.page, "consent-refused");

  await camille.connect();
  await camille.status("Connecté").waitFor();
});

test("what Google allowed is for the practice and the account that are named, or for nobody", async ({ stage }) => {
  const camille = await stage.person();
  const { page } = camille;
  await camille.openSettings();
  await camille.button("Connecter Google Calendar").first().click();
  await page.getByRole("radio", { name: ACCOUNT }).check();
  await camille.button("Continuer").click();
  await page.getByRole("heading", { name: "Connecter ce compte à ce cabinet ?" }).waitFor();
  await page.getByText("Cabinet dentaire des Lilas", { exact: true }).waitFor();
  await page.getByText(ACCOUNT, { exact: true }).waitFor();
  await stage.picture(page, "consent-asked");
  await camille.button("Ne rien connecter").click();
  await camille.health.getByText("La connexion a été annulée.").waitFor();
  await camille.status("Non connecté").waitFor();
  expect(await stage.google.count("revoke")).toBe(1);
});

test("an unticked permission is named, and nothing is connected", async ({ stage }) => {
  const camille = await stage.person();
  await camille.openSettings();
  await camille.connect({ untick: "Consulter et modifier les événements" });
  await camille.said("laissez cochée la case « Consulter et modifier les événements de tous vos agendas »");
  await camille.status("Non connecté").waitFor();
  await stage.picture(camille.page, "consent-unticked");

  await camille.connect();
  await camille.status("Connecté").waitFor();
});

test("the outcome is told once: it leaves the address, and a reload is silent", async ({ stage }) => {
  const camille = await stage.person();
  await camille.openSettings();
  await camille.connect();
  await camille.said("Google Calendar est connecté.");
  expect(new URL(camille.page.url()).search).toBe("");
  await camille.page.reload();
  await camille.settled();
  await camille.status("Connecté").waitFor();
  expect(await camille.page.getByText("Google Calendar est connecté.").count()).toBe(0);
});

test("a consent begins at its own address, but not by a link, nor is it brought back by another browser", async ({
  stage,
}) => {
  const camille = await stage.person();
  const begun = await camille.page.context().newPage();
  await begun.goto("/api/integrations/google/connect");
  await begun.getByRole("button", { name: "Continuer" }).waitFor();
  expect(new URL(begun.url()).origin).not.toBe(stage.proxy.origin);
  await begun.close();
  // Another site's page leads to it: without the ticket, which the visit above has left, it begins nothing.
  await camille.page.context().clearCookies({ name: "cassius_calendar_connect" });
  const linked = await camille.page.context().newPage();
  await linked.goto(stage.google.origin);
  await linked.evaluate((address) => {
    window.location.href = address;
  }, `${stage.proxy.origin}/api/integrations/google/connect`);
  await linked.getByText("CROSS_SITE_REQUEST").waitFor();
  await linked.close();

  // Hugo is led to the address that Google sends Camille back to, before her browser opens it.
  await camille.openSettings();
  await camille.button("Connecter Google Calendar").click();
  await camille.button("Continuer").waitFor();
  const consent = new URL(camille.page.url());
  const form = new URLSearchParams({ decision: "allow", account: ACCOUNT });
  for (const scope of consent.searchParams.get("scope")?.split(" ") ?? []) form.append("scope", scope);
  const decided = await fetch(consent, { method: "POST", body: form, redirect: "manual" });
  const callback = decided.headers.get("location") ?? "";
  expect(callback).toContain("/api/integrations/google/callback?");
  const hugo = await stage.person("Dr Hugo Vasseur");
  await hugo.page.goto(callback);
  await hugo.openSettings();
  await hugo.status("Non connecté").waitFor();
  expect(await stage.google.count("token.code")).toBe(0);
});

test("only a manager sees the settings; the badge is for everybody of the practice, and for no other", async ({
  stage,
}) => {
  const camille = await stage.person();
  await camille.connected();
  const nadia = await stage.person("Nadia Ferret");
  await nadia.openAgenda();
  await nadia.badge("Google connecté").waitFor();
  await nadia.page.goto("/settings/integrations/google-calendar");
  await nadia.said("Seule une personne gérante du cabinet");
  const refused = await nadia.page.evaluate(async () => (await fetch("/api/integrations/google/calendars")).status);
  expect(refused).toBe(403);

  const hugo = await stage.person("Dr Hugo Vasseur");
  await hugo.openSettings();
  await hugo.status("Non connecté").waitFor();
});
