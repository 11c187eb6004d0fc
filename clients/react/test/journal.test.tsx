/** What was done, and what Google answered: asked for by whoever wants to know. */
import { screen, within } from "@testing-library/react";
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
