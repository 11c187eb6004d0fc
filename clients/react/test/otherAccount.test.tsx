/** The question about another account than the connected one. */
import { screen, waitFor, within } from "@testing-library/react";
import type { UserEvent } from "@testing-library/user-event";
import { afterEach, expect, it, vi } from "vitest";
import * as samples from "../gallery/samples";
import { GoogleCalendarPage } from "../src";
import type { IntegrationStatusJson } from "../src/wire";
import { mount } from "./host";
import { refuse, Router } from "./router";

const KEEP = "Garder cabinet.lilas@example.com";
const TAKE = "Passer à accueil.lilas@example.com";

afterEach(() => window.history.replaceState(null, "", "/"));

/** Opens the question from the notice of a page that stood open, or was opened anew. */
async function answer(user: UserEvent): Promise<void> {
  await user.click(await screen.findByRole("button", { name: "Répondre" }));
}

it("names both accounts and what is made anew", async () => {
  new Router(samples.otherAccount);
  const { user } = mount(<GoogleCalendarPage />);
  const notice = within(await screen.findByRole("group", { name: "État de la synchronisation" }));
  expect(await notice.findByText(/^Quel compte Google garder/)).toBeVisible();
  expect(notice.getByText(/^accueil\.lilas@example\.com vient d’être choisi/)).toBeVisible();
  expect(screen.getByRole("button", { name: "Déconnecter" })).toBeVisible();
  expect(screen.queryByRole("dialog")).toBeNull();

  await answer(user);
  expect(await screen.findByRole("dialog", { name: /^Quel compte Google garder/ })).toBeVisible();
  expect(screen.getByText(/cabinet\.lilas@example\.com est connecté.*accueil\.lilas@example\.com/)).toBeVisible();
  expect(
    screen.getByText(/86 événements à venir restent dans l’agenda du compte cabinet\.lilas.*recréés/),
  ).toBeVisible();
  const [first, second] = screen.getAllByRole("button", { name: /@example\.com/ });
  expect([first?.textContent, second?.textContent]).toEqual([KEEP, TAKE]);
  expect(first).toHaveClass("cc-action-primary");
  await user.keyboard("{Escape}");
  await waitFor(() => expect(screen.getByRole("button", { name: "Répondre" })).toHaveFocus());
});

it.each<[string, IntegrationStatusJson, string]>([
  ["that Google no longer permits Cassius", samples.reconnectNeeded, "Google n’autorise plus Cassius à écrire"],
  ["a pause", samples.paused, "La synchronisation est en pause"],
  ["what Google refused", samples.someRefused, "3 rendez-vous ne sont pas dans Google"],
  ["a delay", samples.throttled, "Google demande de patienter"],
])("hides not %s", async (_, status, words) => {
  new Router({ ...status, pendingAccount: samples.otherAccount.pendingAccount });
  mount(<GoogleCalendarPage />);
  const notice = within(await screen.findByRole("group", { name: "État de la synchronisation" }));
  expect(await notice.findByText(words)).toBeVisible();
  expect(notice.getAllByRole("button").map(({ textContent }) => textContent)).toEqual(["Répondre"]);
});

it("is asked at once of who has just chosen that account", async () => {
  window.history.replaceState(null, "", "/?google=other_account");
  new Router(samples.otherAccount);
  mount(<GoogleCalendarPage />);
  expect(await screen.findByRole("dialog", { name: /^Quel compte Google garder/ })).toBeVisible();
});

it("goes when it is answered elsewhere, and focus stays in its place", async () => {
  const router = new Router(samples.otherAccount);
  const { user } = mount(<GoogleCalendarPage />, { withStream: true });
  await answer(user);
  await waitFor(() => expect(router.watchers).toBe(1));
  router.become(samples.connected);
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  await waitFor(() => expect(screen.getByRole("group", { name: "État de la synchronisation" })).toHaveFocus());
});

it.each([
  [TAKE, true, "accueil.lilas@example.com"],
  [KEEP, false, "cabinet.lilas@example.com"],
])("« %s » is sent, told, and leaves focus where it stood", async (name, accept, email) => {
  const router = new Router(samples.otherAccount);
  const { user } = mount(<GoogleCalendarPage />);
  await answer(user);
  await user.click(await screen.findByRole("button", { name }));
  expect(await screen.findByText(`Google Calendar est connecté à ${email}.`)).toBeInTheDocument();
  expect(router.to("confirm-account").map(({ body }) => body)).toEqual([{ accept }]);
  await waitFor(() => expect(screen.queryByRole("button", { name: TAKE })).toBeNull());
  await waitFor(() => expect(screen.getByRole("group", { name: "État de la synchronisation" })).toHaveFocus());
});

it("keeps an account that has lost its grant by giving it a new one", async () => {
  const router = new Router({ ...samples.reconnectNeeded, pendingAccount: samples.otherAccount.pendingAccount });
  const redirect = vi.fn();
  const { user } = mount(<GoogleCalendarPage />, { redirect });
  await answer(user);
  await user.click(await screen.findByRole("button", { name: "Reprendre avec cabinet.lilas@example.com" }));
  await waitFor(() => expect(redirect).toHaveBeenCalledOnce());
  expect(router.to("confirm-account")).toHaveLength(0);
});

it("says that the time is up, and looks again", async () => {
  const router = new Router(samples.otherAccount);
  refuse("post", "confirm-account", 409, "NO_PENDING_ACCOUNT");
  const { user } = mount(<GoogleCalendarPage />);
  await answer(user);
  const take = await screen.findByRole("button", { name: TAKE });
  router.status = samples.connected;
  await user.click(take);
  expect(await screen.findByText("Ce compte n’attend plus de réponse. Recommencez la connexion.")).toBeVisible();
  await waitFor(() => expect(screen.queryByRole("button", { name: TAKE })).toBeNull());
});
