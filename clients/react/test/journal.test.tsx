/** What was done, and what Google answered: asked for by whoever wants to know. */
import { act, screen, waitFor, within } from "@testing-library/react";
import { expect, it } from "vitest";
import * as samples from "../gallery/samples";
import { GoogleCalendarPage } from "../src";
import { mount } from "./host";
import { refuse, Router } from "./router";

it("the journal is asked for once it is opened, and tells acts in plain words", async () => {
  const router = new Router(samples.connected);
  const { user } = mount(<GoogleCalendarPage />, { renderActor: (id) => `Dr ${id}` });
  const journal = within(await screen.findByRole("region", { name: "Journal" }));
  expect(router.to("journal")).toEqual([]);
  await user.click(journal.getByText("Afficher les 50 dernières actions"));
  const acts = within(await journal.findByRole("list", { name: "Journal" })).getAllByRole("listitem");
  expect(acts.map((act) => act.textContent)).toEqual([
    expect.stringContaining("Réglages modifiés · Dr camille"),
    expect.stringContaining("Synchronisation ou comparaison demandée\u00a0: n’a pas abouti · Dr camille"),
    expect.stringMatching(/Google Calendar est connecté\.$/),
    expect.stringContaining("Connexion à Google commencée · Dr camille"),
  ]);
});

it("a journal that cannot be had says so", async () => {
  new Router(samples.connected);
  refuse("get", "journal", 503, "SERVICE_UNAVAILABLE");
  const { user } = mount(<GoogleCalendarPage />);
  await user.click(await screen.findByText("Afficher les 50 dernières actions"));
  expect(await screen.findByText("Le journal n’a pas pu être chargé.")).toBeVisible();
});

it("what Google answered for a refused appointment is behind its details", async () => {
  const router = new Router(samples.someRefused);
  const { user } = mount(<GoogleCalendarPage />);
  const [details] = await screen.findAllByText("Détails");
  expect(router.to("history")).toEqual([]);
  if (details) await user.click(details);
  const calls = within(await screen.findByRole("list", { name: "Derniers appels à Google" })).getAllByRole("listitem");
  expect(calls[0]).toHaveTextContent(/events\.insert refusé \(84 ms\)$/);
  expect(calls[1]).toHaveTextContent(/pas de réponse \(10.000 ms\)$/);
});

it("what each choice of privacy sends is a table", async () => {
  new Router(samples.connected);
  const { user } = mount(<GoogleCalendarPage />);
  await user.click(await screen.findByText("Ce que chaque choix envoie à Google", { selector: "summary" }));
  const row = screen.getByRole("row", { name: /^Praticien/ });
  expect(
    within(row)
      .getAllByRole("cell")
      .map((cell) => cell.textContent),
  ).toEqual(["Oui", "Oui", "Non"]);
});

it("a service that was restored from an older backup says whom to tell", async () => {
  new Router({ ...samples.connected, behindCount: 4 });
  mount(<GoogleCalendarPage />);
  const health = screen.getByRole("group", { name: "État de la synchronisation" });
  expect(await within(health).findByText("Google a 4 rendez-vous de plus que le service")).toBeVisible();
  expect(within(health).getByText(/prévenez le support de Cassius\.$/)).toBeVisible();
  expect(screen.queryByText("Tout est en ordre")).toBeNull();
});

it("a journal that is open follows what is done here, and what is done elsewhere", async () => {
  const router = new Router(samples.connected);
  const { user } = mount(<GoogleCalendarPage />, { withStream: true });
  await user.click(await screen.findByText("Afficher les 50 dernières actions"));
  await screen.findByRole("list", { name: "Journal" });
  await waitFor(() => expect(router.watchers).toBe(1));
  const asked = () => router.to("journal").length;
  for (const name of ["Comparer avec Google", "Envoyer un événement de test"]) {
    const before = asked();
    await user.click(screen.getByRole("button", { name }));
    await waitFor(() => expect(asked()).toBeGreaterThan(before), { timeout: 2_000 });
  }
  const before = asked();
  act(() => router.become({ ...router.status, isEnabled: false }));
  await waitFor(() => expect(asked()).toBeGreaterThan(before), { timeout: 2_000 });
  // An appointment that is sent is no act of anybody's.
  const after = asked();
  act(() => router.become({ ...router.status, counts: { ...router.status.counts, pending: 7 } }));
  await screen.findByText(/7.en.attente/);
  expect(asked()).toBe(after);
});

it("what Google answered follows a new attempt", async () => {
  const router = new Router(samples.someRefused);
  const { user } = mount(<GoogleCalendarPage />, { withStream: true });
  const [details] = await screen.findAllByText("Détails");
  if (details) await user.click(details);
  await screen.findByRole("list", { name: "Derniers appels à Google" });
  await waitFor(() => expect(router.watchers).toBe(1));
  const before = router.to("history").length;
  act(() => router.become({ ...router.status, counts: { ...router.status.counts, pending: 1 } }));
  await waitFor(() => expect(router.to("history").length).toBeGreaterThan(before), { timeout: 3_000 });
});
