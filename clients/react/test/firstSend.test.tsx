/** The first connection: what is to be chosen comes before anything is sent, and nothing claims that all is well. */
import { screen, waitFor, within } from "@testing-library/react";
import { expect, it } from "vitest";
import * as samples from "../gallery/samples";
import { GoogleCalendarPage } from "../src";
import { mount } from "./host";
import { Router } from "./router";

it("counts what is not sent yet, lets calendar and privacy be chosen, and only then sends", async () => {
  const router = new Router(samples.firstConnected);
  const { user } = mount(<GoogleCalendarPage />, { withStream: true });
  const steps = within(await screen.findByRole("group", { name: "État de la synchronisation" }));
  expect(await steps.findByText("37 rendez-vous à venir ne sont pas encore dans Google")).toBeVisible();
  expect(
    steps.getByText(/^Rien de cela ne part avant votre accord, ni les RDV passés\. .* part aussitôt, avec la/),
  ).toBeVisible();
  expect(screen.queryByText("OK")).toBeNull();
  expect(screen.queryByText("Tout est en ordre")).toBeNull();

  await user.click(steps.getByRole("button", { name: "Choisir le calendrier Cabinet des Lilas" }));
  await user.click(within(await screen.findByRole("dialog")).getByRole("button", { name: "Annuler" }));

  await user.click(steps.getByRole("button", { name: "Choisir la confidentialité Nom complet" }));
  const window = within(await screen.findByRole("dialog", { name: "Confidentialité des titres" }));
  expect(window.getByRole("button", { name: /^Appliquer/ })).toBeDisabled();
  expect(window.getByText("C’est le choix actuel : rien ne changera.")).toBeVisible();
  await user.click(window.getByRole("radio", { name: /Masqué/ }));
  expect(await window.findByText("[Cassius] Rendez-vous")).toBeVisible();
  await user.click(window.getByRole("button", { name: /^Appliquer «\sMasqué\s»/ }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(router.to("settings").map(({ body }) => body)).toEqual([{ titlePrivacy: "masked" }]);
  expect(router.to("sync-now")).toHaveLength(0);
  expect(steps.getByText("Masqué")).toBeVisible();

  await user.click(steps.getByRole("button", { name: "Envoyer les 37 rendez-vous" }));
  await waitFor(() => expect(router.to("sync-now")).toHaveLength(1));
  expect(await screen.findByText(/^Synchronisation lancée/)).toBeInTheDocument();
  await waitFor(() => expect(screen.queryByRole("button", { name: /^Envoyer les/ })).toBeNull());
  expect(screen.getByRole("group", { name: "État de la synchronisation" })).toHaveFocus();
});
