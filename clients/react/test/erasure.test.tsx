/** Everything of a practice, erased from its page: asked about, followed to its end, and told. */
import { act, screen, waitFor, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { expect, it } from "vitest";
import * as samples from "../gallery/samples";
import { GoogleCalendarPage } from "../src";
import type { EraseAnswer, IntegrationStatusJson } from "../src/wire";
import { mount, setOnline } from "./host";
import { BASE, refuse, Router, server } from "./router";

const WORDS = "Effacer les données";

/** Makes the service answer erasures one after the other, and stand as each says. */
function answering(router: Router, ...answers: readonly EraseAnswer[]): () => unknown[] {
  const asked: unknown[] = [];
  server.use(
    http.post(`${BASE}/erase`, async ({ request }) => {
      const answer = answers[asked.length];
      asked.push(await request.json());
      if (answer === undefined) throw new Error("it was asked too often");
      router.status = answer.status;
      return HttpResponse.json(answer);
    }),
  );
  return () => asked;
}

const answer = (isDone: boolean, remainingEventCount: number, status: IntegrationStatusJson): EraseAnswer => ({
  isDone,
  remainingEventCount,
  status,
});

async function opened(withStream = false) {
  const { user } = mount(<GoogleCalendarPage mayErase />, { withStream });
  await screen.findByRole("heading", { name: "Connexion" });
  await waitFor(() => expect(screen.getByRole("button", { name: WORDS })).not.toHaveAttribute("aria-disabled"));
  await user.click(screen.getByRole("button", { name: WORDS }));
  const dialog = await screen.findByRole("alertdialog");
  return { user, dialog: within(dialog) };
}

it("is offered to nobody unless the host says so, and never to who may only look", async () => {
  new Router(samples.connected);
  const { unmount } = mount(<GoogleCalendarPage />);
  await screen.findByText("Ce que Cassius envoie, et ce que les titres montrent.");
  expect(screen.queryByRole("button", { name: WORDS })).toBeNull();
  unmount();
  mount(<GoogleCalendarPage mayChange={false} mayErase />);
  await screen.findByText("Où en est l’envoi de vos rendez-vous.");
  expect(screen.queryByRole("button", { name: WORDS })).toBeNull();
});

it("names what goes and what stays, and does nothing when it is called off", async () => {
  const router = new Router(samples.connected);
  const { user, dialog } = await opened();
  expect(dialog.getByText(/^Google Calendar sera déconnecté\. Cela ne peut pas être annulé\.$/)).toBeVisible();
  expect(dialog.getByText("Dans Google : les événements que Cassius a écrits, passés et à venir")).toBeVisible();
  expect(dialog.getByText(/^Le journal de cette page, où aucun patient ne figure/)).toBeVisible();
  await user.click(dialog.getByRole("button", { name: "Annuler" }));
  await waitFor(() => expect(screen.queryByRole("alertdialog")).toBeNull());
  await waitFor(() => expect(screen.getByRole("button", { name: WORDS })).toHaveFocus());
  expect(router.to("erase")).toEqual([]);
});

it("erases by one button, says so, and leaves the page as before a connection", async () => {
  const router = new Router(samples.connected);
  const { user, dialog } = await opened();
  await user.click(dialog.getByRole("button", { name: WORDS }));
  expect(await screen.findByText("Les données de la synchronisation sont effacées.")).toBeVisible();
  expect(router.to("erase").map(({ body }) => body)).toEqual([{}]);
  expect(screen.getByText("Ce qui sera envoyé")).toBeVisible();
  await waitFor(() => expect(screen.queryByRole("alertdialog")).toBeNull());
  await waitFor(() => expect(screen.getByRole("button", { name: WORDS })).toHaveFocus());
});

it("shows how far it is, and asks once more when the disconnect is over", async () => {
  const router = new Router(samples.connected);
  const asked = answering(router, answer(false, 55, samples.disconnecting), answer(true, 0, samples.notConnected));
  const { user, dialog } = await opened(true);
  await waitFor(() => expect(router.watchers).toBe(1));
  await user.click(dialog.getByRole("button", { name: WORDS }));
  const bar = await dialog.findByRole("progressbar", { name: "Suppression des événements" });
  expect(bar).toHaveAttribute("aria-valuetext", "31 sur 86");
  expect(dialog.getByText("L’effacement continue, même si vous quittez cette page.")).toBeVisible();
  expect(dialog.queryByRole("button", { name: WORDS })).toBeNull();
  expect(document.activeElement?.closest("[role=alertdialog]"), "the focus stays in the window").not.toBeNull();

  router.become({ ...samples.disconnecting, disconnect: { total: 86, done: 85, failed: 0, startTime: null } });
  await waitFor(() => expect(bar).toHaveAttribute("aria-valuenow", "85"));
  expect(asked()).toHaveLength(1);
  router.become(samples.notConnected);
  expect(await screen.findByText("Les données de la synchronisation sont effacées.")).toBeInTheDocument();
  await waitFor(() => expect(screen.queryByRole("alertdialog")).toBeNull());
  expect(asked()).toEqual([{}, {}]);
});

it("goes on without its window, which can be closed meanwhile", async () => {
  const router = new Router(samples.connected);
  answering(router, answer(false, 55, samples.disconnecting));
  const { user, dialog } = await opened();
  await user.click(dialog.getByRole("button", { name: WORDS }));
  await dialog.findByRole("progressbar");
  await user.click(dialog.getByRole("button", { name: "Fermer" }));
  await waitFor(() => expect(screen.queryByRole("alertdialog")).toBeNull());
  expect(screen.getByRole("progressbar", { name: "Suppression des événements" })).toBeVisible();
});

it("tells of events that are out of reach, and leaves them where that is wanted", async () => {
  const router = new Router(samples.reconnectNeeded);
  const asked = answering(router, answer(false, 3, samples.notConnected), answer(true, 0, samples.notConnected));
  const { user, dialog } = await opened();
  await user.click(dialog.getByRole("button", { name: WORDS }));
  expect(await dialog.findByText("3 événements n’ont pas pu être supprimés dans Google")).toBeVisible();
  expect(dialog.getByText(/^Ils le seront si vous reconnectez le même compte\./)).toBeVisible();
  await user.click(dialog.getByRole("button", { name: "Laisser dans Google" }));
  expect(
    await screen.findByText("Les données de la synchronisation sont effacées. 3 événements restent dans Google."),
  ).toBeInTheDocument();
  expect(asked()).toEqual([{}, { leaveEvents: true }]);
});

it("tells when the permission alone is left, and offers nothing about it", async () => {
  const router = new Router(samples.connected);
  answering(router, answer(false, 0, samples.notConnected));
  const { user, dialog } = await opened();
  await user.click(dialog.getByRole("button", { name: WORDS }));
  expect(await dialog.findByText("Tout est effacé, sauf l’autorisation donnée à Cassius")).toBeVisible();
  expect(dialog.getAllByRole("button").map(({ textContent }) => textContent)).toEqual(["Fermer"]);
  expect(document.activeElement?.closest("[role=alertdialog]")).not.toBeNull();
});

it("stays open with the reason when it is refused", async () => {
  new Router(samples.connected);
  const { user, dialog } = await opened();
  refuse("post", "erase", 403, "NOT_ALLOWED");
  await user.click(dialog.getByRole("button", { name: WORDS }));
  expect(await dialog.findByRole("alert")).toHaveTextContent("Vous n’avez pas le droit de faire cette modification.");
  expect(dialog.getByRole("button", { name: WORDS })).toBeEnabled();
});

it("shows no bar while nobody can be asked, and says of when it is", async () => {
  const router = new Router(samples.connected);
  answering(router, answer(false, 86, samples.disconnecting));
  const { user, dialog } = await opened();
  await user.click(dialog.getByRole("button", { name: WORDS }));
  expect(await dialog.findByRole("progressbar")).toBeVisible();
  act(() => setOnline(false));
  expect(await dialog.findByText(/^Dernier état connu/)).toBeVisible();
  expect(dialog.queryByRole("progressbar")).toBeNull();
  act(() => setOnline(true));
  expect(await dialog.findByRole("progressbar")).toBeVisible();
});
