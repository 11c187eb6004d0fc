/** « Comparer avec Google »: what was found in words, and what can be done about it. */
import { act, screen, waitFor } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { expect, it } from "vitest";
import * as samples from "../gallery/samples";
import { GoogleCalendarPage } from "../src";
import { comparisonText, isToMend } from "../src/google/comparisonText";
import { createTranslate } from "../src/i18n/message";
import type { ComparisonJson } from "../src/wire";
import { mount, setOnline } from "./host";
import { BASE, refuse, Router, server, silence } from "./router";

const COMPARE = "Comparer avec Google";
const HINT = "La comparaison compte les écarts avec Google, sans rien changer.";
const button = (name: string | RegExp) => screen.getByRole("button", { name });
const shown = () => document.querySelector(".cc-comparison-words > p")?.textContent;

async function compared(comparison: ComparisonJson, locale = "fr", withStream = false) {
  const router = new Router(samples.connected);
  router.comparison = comparison;
  const { user } = mount(<GoogleCalendarPage />, { locale, withStream });
  await user.click(await screen.findByRole("button", { name: locale === "fr" ? COMPARE : "Compare with Google" }));
  await waitFor(() => expect(document.querySelector(".cc-comparison time")).not.toBeNull());
  return { router, user };
}

it.each<[string, Partial<ComparisonJson>, string, string | null]>([
  ["fr", {}, "37 rendez-vous à venir, 37 événements dans Google · Tout concorde", null],
  ["en", {}, "37 upcoming appointments, 37 events at Google · Everything agrees", null],
  [
    "fr",
    { remoteCount: 38, missingCount: 1, surplusCount: 2 },
    "37 rendez-vous à venir, 38 événements dans Google · 1 manquant · 0 modifié · 2 en trop",
    "Corriger",
  ],
  [
    "en",
    { remoteCount: 36, missingCount: 1 },
    "37 upcoming appointments, 36 events at Google · 1 missing · 0 altered · 0 too many",
    "Put right",
  ],
  [
    "fr",
    { dueCount: 1, remoteCount: 1, alteredCount: 1 },
    "1 rendez-vous à venir, 1 événement dans Google · 0 manquant · 1 modifié · 0 en trop",
    "Corriger",
  ],
  // A sync leaves what is newer as it is.
  [
    "fr",
    { newerCount: 2 },
    "37 rendez-vous à venir, 37 événements dans Google · 0 manquant · 0 modifié · 0 en trop · 2 plus récents dans Google",
    null,
  ],
  // A calendar that was not looked at may hold what a person moved there.
  [
    "fr",
    { isPartial: true },
    "37 rendez-vous à venir, 37 événements dans Google · Tout concorde · Des agendas du compte n’ont pas pu être consultés",
    null,
  ],
  // What was never sent, was refused or waits is not there, and does not differ.
  [
    "fr",
    { remoteCount: 30 },
    "37 rendez-vous à venir, 30 événements dans Google · Rien à corriger, mais un envoi est encore attendu",
    null,
  ],
])("in %s, %j is told as « %s »", (locale, change, words, mend) => {
  const found = { ...samples.inStep, ...change };
  const t = createTranslate(locale);
  expect([comparisonText(found, t), isToMend(found) ? t("compare.mend") : null]).toEqual([words, mend]);
});

it("asks for a dry run, shows what was found and reads it out; where all is in step there is nothing to mend", async () => {
  const { router, user } = await compared(samples.differing, "en");
  const words = "37 upcoming appointments, 38 events at Google · 1 missing · 0 altered · 2 too many";
  expect(shown()).toBe(words);
  await waitFor(() => expect(document.querySelector(".cc-result [aria-live=polite]")).toHaveTextContent(words));
  expect(button("Put right")).toBeVisible();
  router.comparison = samples.inStep;
  await user.click(button("Compare with Google"));
  await waitFor(() => expect(shown()).toBe("37 upcoming appointments, 37 events at Google · Everything agrees"));
  expect(screen.queryByRole("button", { name: "Put right" })).toBeNull();
  expect(router.to("sync-now").map(({ body }) => body)).toEqual([{ dryRun: true }, { dryRun: true }]);
});

it("« Corriger » starts the sync, takes away what was found, and leaves focus where it stood", async () => {
  const { router, user } = await compared(samples.differing);
  expect(button(COMPARE)).toHaveFocus();
  await user.click(button("Corriger"));
  expect(await screen.findByText(HINT)).toBeVisible();
  expect(router.to("sync-now").map(({ body }) => body)).toEqual([{ dryRun: true }, {}]);
  expect(await screen.findByText("Synchronisation lancée. 3 rendez-vous à envoyer.")).toBeInTheDocument();
  await waitFor(() => expect(document.querySelector(".cc-comparison-words")).toHaveFocus());
});

it("what could not be mended stays, with the reason", async () => {
  const { user } = await compared(samples.differing);
  refuse("post", "sync-now", 503, "SERVICE_UNAVAILABLE");
  await user.click(button("Corriger"));
  expect(await screen.findByText("Le service n’a pas répondu. Réessayez dans un instant.")).toBeVisible();
  expect(shown()).toContain("1 manquant");
  expect(button("Corriger")).toHaveFocus();
});

it("asks once, however fast it is pressed, and is busy meanwhile", async () => {
  new Router(samples.connected);
  let asked = 0;
  silence("post", "sync-now");
  server.events.on("request:start", ({ request }) => {
    if (request.url.endsWith("/sync-now")) asked += 1;
  });
  mount(<GoogleCalendarPage />);
  const action = await screen.findByRole("button", { name: COMPARE });
  act(() => {
    action.focus();
    action.click();
    action.click();
  });
  expect(await screen.findByRole("button", { name: "Comparaison…" })).toHaveAttribute("aria-disabled", "true");
  expect(button("Comparaison…")).toHaveFocus();
  expect(button("Synchroniser maintenant")).not.toHaveAttribute("aria-disabled");
  await waitFor(() => expect(asked).toBe(1));
  server.events.removeAllListeners();
});

it.each([
  [409, "CALENDAR_UNAVAILABLE", "Ce calendrier n’est plus accessible. Choisissez-en un autre."],
  [503, "GOOGLE_UNAVAILABLE", "Google n’a pas répondu. Réessayez dans un instant."],
  [503, "SERVICE_UNAVAILABLE", "Le service n’a pas répondu. Réessayez dans un instant."],
  [503, "OVERLOADED", "Trop de demandes étaient en cours. Réessayez dans quelques secondes."],
])("a refusal of %i %s is told as others are", async (status, reason, words) => {
  new Router(samples.connected);
  refuse("post", "sync-now", status, reason);
  const { user } = mount(<GoogleCalendarPage />);
  await user.click(await screen.findByRole("button", { name: COMPARE }));
  await waitFor(() => expect(document.querySelector(".cc-result-danger")).not.toBeNull());
  expect(document.querySelector(".cc-result-danger")?.textContent).toMatch(words);
  expect(shown()).toBe(HINT);
  expect(button(COMPARE)).toHaveFocus();
});

it("a router that answers no comparison is not taken for one that found nothing", async () => {
  new Router(samples.connected);
  server.use(http.post(`${BASE}/sync-now`, () => HttpResponse.json({ queuedCount: 0, status: samples.connected })));
  const { user } = mount(<GoogleCalendarPage />);
  await user.click(await screen.findByRole("button", { name: COMPARE }));
  await waitFor(() => expect(document.querySelector(".cc-result-danger")).not.toBeNull());
  expect(shown()).toBe(HINT);
});

it("is to be had during a pause, when nothing can be mended, and not where Google cannot be asked", async () => {
  const router = new Router(samples.paused);
  router.comparison = samples.differing;
  const { user, unmount } = mount(<GoogleCalendarPage />);
  await user.click(await screen.findByRole("button", { name: COMPARE }));
  expect(await screen.findByRole("button", { name: "Corriger" })).toHaveAttribute("aria-disabled", "true");
  act(() => setOnline(false));
  await waitFor(() => expect(button(COMPARE)).toHaveAttribute("aria-disabled", "true"));
  act(() => setOnline(true));
  unmount();

  const gone = new Router(samples.calendarGone);
  const { user: other } = mount(<GoogleCalendarPage />);
  await other.click(await screen.findByRole("button", { name: COMPARE }));
  expect(gone.to("sync-now")).toEqual([]);
});

it("what was found in one calendar is not shown of another", async () => {
  const { router } = await compared(samples.differing, "fr", true);
  await waitFor(() => expect(router.watchers).toBe(1));
  router.become({ ...samples.connected, calendar: samples.calendars[1] ?? null });
  await waitFor(() => expect(shown()).toBe(HINT));
  expect(screen.queryByRole("button", { name: "Corriger" })).toBeNull();
});
