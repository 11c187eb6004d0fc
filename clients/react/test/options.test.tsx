import { screen, waitFor, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { describe, expect, it } from "vitest";
import * as samples from "../gallery/samples";
import { GoogleCalendarPage } from "../src";
import type { IntegrationStatusJson } from "../src/wire";
import { mount } from "./host";
import { BASE, refuse, Router, server, silence } from "./router";

const preview = () => within(screen.getByRole("region", { name: "Aperçu" }));
const toggle = () => screen.getByRole("switch", { name: /Synchroniser les RDV Cassius vers Google/ });

describe("the toggle", () => {
  it("turns at once, before the service has answered", async () => {
    new Router(samples.connected);
    silence("patch", "settings");
    const { user } = mount(<GoogleCalendarPage />);
    await waitFor(() => expect(toggle()).toBeChecked());
    await user.click(toggle());
    expect(toggle()).not.toBeChecked();
    expect(await within(screen.getByRole("region", { name: "Connexion" })).findByText("En pause")).toBeVisible();
  });

  it("goes back to what it was when the service refuses, and says why", async () => {
    new Router(samples.connected);
    refuse("patch", "settings", 409, "RECONNECT_REQUIRED");
    const { user } = mount(<GoogleCalendarPage />);
    await waitFor(() => expect(toggle()).toBeChecked());
    await user.click(toggle());
    expect(await screen.findByText(/le réglage précédent est rétabli/)).toHaveTextContent(
      "Le compte Google doit d’abord être reconnecté.",
    );
    expect(toggle()).toBeChecked();
    expect(toggle()).toHaveFocus();
  });

  it("is not undone by a status that the stream tells while it is being saved", async () => {
    const router = new Router(samples.connected);
    silence("patch", "settings");
    const { user } = mount(<GoogleCalendarPage />, { withStream: true });
    await waitFor(() => expect(toggle()).toBeChecked());
    await waitFor(() => expect(router.watchers).toBe(1));
    await user.click(toggle());
    router.become({ ...samples.connected, counts: { ...samples.connected.counts, synced: 1249 } });
    expect(await screen.findByText(/1 249 RDV synchronisés/)).toBeVisible();
    expect(toggle()).not.toBeChecked();
  });

  it("works by keyboard and announces the result", async () => {
    const router = new Router(samples.connected);
    const { user } = mount(<GoogleCalendarPage />);
    await waitFor(() => expect(toggle()).toBeChecked());
    while (document.activeElement !== toggle()) await user.tab();
    await user.keyboard(" ");
    expect(await screen.findByText("La synchronisation est en pause.")).toBeInTheDocument();
    expect(router.to("settings")[0]?.body).toEqual({ isEnabled: false });
  });
});

describe("turning the toggle on again", () => {
  it("tells how many are sent, which the service does by itself", async () => {
    const router = new Router(samples.paused);
    const { user } = mount(<GoogleCalendarPage />);
    await waitFor(() => expect(toggle()).toBeEnabled());
    await user.click(toggle());
    expect(await screen.findByText("La synchronisation est activée. 3 rendez-vous à envoyer.")).toBeInTheDocument();
    expect(router.to("sync-now")).toHaveLength(0);
    expect(toggle()).toBeChecked();
  });

  it("can be done where the pause is told, and what the catch-up has sent is told at its end", async () => {
    const router = new Router({ ...samples.paused, counts: { ...samples.paused.counts, pending: 4 } });
    server.use(
      http.patch(`${BASE}/settings`, () => {
        router.status = { ...samples.connected, catchUp: { total: 36, done: 0, failed: 0, startTime: null } };
        return HttpResponse.json({ status: router.status });
      }),
    );
    const { user } = mount(<GoogleCalendarPage />, { withStream: true });
    expect(await screen.findByText("4 rendez-vous attendent et seront envoyés à la reprise.")).toBeVisible();
    await waitFor(() => expect(router.watchers).toBe(1));
    await user.click(screen.getByRole("button", { name: "Reprendre" }));
    expect(await screen.findByText("La synchronisation est activée. 36 rendez-vous à envoyer.")).toBeInTheDocument();
    router.become(samples.connected);
    expect(await screen.findByText("36 rendez-vous envoyés.")).toBeInTheDocument();
  });
});

describe("a test event", () => {
  it.each([
    [{ isWritten: true, isRemoved: true, error: null }, /a été écrit dans «.Cabinet des Lilas.», puis retiré/],
    [{ isWritten: true, isRemoved: false, error: null }, /Il sera retiré dans un instant/],
    [{ isWritten: false, isRemoved: true, error: null }, /Google n’a pas répondu à temps/],
    [
      { isWritten: false, isRemoved: true, error: { reason: "EVENT_REFUSED", message: "", retryable: false } },
      /n’a pas reçu l’événement. Google a refusé cet événement/,
    ],
  ])("tells what became of it: %j", async (tested, words) => {
    const router = new Router(samples.connected);
    router.tested = tested;
    const { user } = mount(<GoogleCalendarPage />);
    await user.click(await screen.findByRole("button", { name: "Envoyer un événement de test" }));
    expect(await screen.findByText(words)).toBeInTheDocument();
  });

  it("says why none can be sent while the sync is paused", async () => {
    const router = new Router(samples.paused);
    const { user } = mount(<GoogleCalendarPage />);
    const send = await screen.findByRole("button", { name: "Envoyer un événement de test" });
    await user.click(send);
    expect(send).toHaveAccessibleDescription("Réactivez d’abord la synchronisation.");
    expect(router.to("test-event")).toEqual([]);
  });
});

describe("towards titles that tell more", () => {
  const initials: IntegrationStatusJson = { ...samples.connected, titlePrivacy: "initials" };

  it("a question is asked, with an example and the number of events, and may be called off", async () => {
    const router = new Router(initials);
    const { user } = mount(<GoogleCalendarPage />);
    await waitFor(() => expect(screen.getByRole("radio", { name: /Initiales/ })).toBeChecked());
    await user.click(screen.getByRole("radio", { name: /Nom complet/ }));
    const question = within(await screen.findByRole("alertdialog", { name: /Montrer davantage/ }));
    expect(await question.findByText("[Cassius] Implant — Marie Durand")).toBeVisible();
    expect(question.getByText(/86 événements à venir seront mis à jour/)).toBeVisible();
    await user.click(question.getByRole("button", { name: "Annuler" }));
    expect(router.to("settings")).toHaveLength(0);
    expect(screen.getByRole("radio", { name: /Initiales/ })).toBeChecked();

    await user.click(screen.getByRole("radio", { name: /Nom complet/ }));
    await user.click(await screen.findByRole("button", { name: /^Appliquer/ }));
    expect(await screen.findByText(/Confidentialité des titres\s: Nom complet/)).toBeInTheDocument();
    expect(router.to("settings")[0]?.body).toEqual({ titlePrivacy: "full" });
    await waitFor(() => expect(screen.queryByRole("alertdialog")).toBeNull());
  });

  it("nothing is asked where no event would tell it", async () => {
    const router = new Router({ ...initials, counts: { ...initials.counts, upcomingEvents: 0 } });
    const { user } = mount(<GoogleCalendarPage />);
    await user.click(await screen.findByRole("radio", { name: /Nom complet/ }));
    await waitFor(() => expect(router.to("settings")).toHaveLength(1));
  });
});

describe("before the first consent", () => {
  it("the privacy of titles is chosen, seen in the preview, and saved; nothing else is offered yet", async () => {
    const router = new Router(samples.notConnected);
    const { user } = mount(<GoogleCalendarPage />);
    await user.click(await screen.findByRole("radio", { name: /Masqué/ }));
    expect(await preview().findByText("[Cassius] Rendez-vous")).toBeVisible();
    expect(await screen.findByText(/Confidentialité des titres\s: Masqué/)).toBeInTheDocument();
    expect(router.to("settings").map(({ body }) => body)).toEqual([{ titlePrivacy: "masked" }]);
    expect(screen.getByText("À choisir avant de connecter : rien n’a encore été envoyé.")).toBeVisible();
    expect(screen.queryByRole("switch")).toBeNull();
    expect(screen.queryByRole("button", { name: "Changer de calendrier" })).toBeNull();
  });
});

describe("the title privacy and the preview", () => {
  it("changes the preview at once with the choice", async () => {
    const router = new Router(samples.connected);
    silence("patch", "settings");
    const { user } = mount(<GoogleCalendarPage />);
    expect(await screen.findByText("[Cassius] Implant — Marie Durand")).toBeVisible();
    await user.click(screen.getByRole("radio", { name: /Initiales/ }));
    expect(await screen.findByText("[Cassius] Implant — M. D.")).toBeVisible();
    await user.click(screen.getByRole("radio", { name: /Masqué/ }));
    expect(await screen.findByText("[Cassius] Rendez-vous")).toBeVisible();
    expect(router.to("preview").map((asked) => asked.body)).toEqual([
      { titlePrivacy: "full" },
      { titlePrivacy: "initials" },
      { titlePrivacy: "masked" },
    ]);
  });

  it("goes back with the choice when the service refuses", async () => {
    new Router(samples.connected);
    refuse("patch", "settings", 503, "SERVICE_UNAVAILABLE");
    const { user } = mount(<GoogleCalendarPage />);
    await screen.findByText("[Cassius] Implant — Marie Durand");
    await user.click(screen.getByRole("radio", { name: /Masqué/ }));
    expect(await screen.findByText(/le réglage précédent est rétabli/)).toBeInTheDocument();
    expect(screen.getByRole("radio", { name: /Nom complet/ })).toBeChecked();
    expect(await screen.findByText("[Cassius] Implant — Marie Durand")).toBeVisible();
  });

  it("shows the description's text, whose links are inert, and drops whatever else its HTML holds", async () => {
    new Router(samples.connected);
    const original = samples.preview("full");
    server.use(
      http.post(`${BASE}/preview`, () =>
        HttpResponse.json({
          event: {
            ...original,
            description:
              'Dr Morel<br><img src=x onerror="window.hacked=1"><script>window.hacked=1</script>' +
              '<a href="javascript:window.hacked=1">piège</a> <a href="https://cassius.example.com/rdv/1">Ouvrir</a>',
          },
        }),
      ),
    );
    mount(<GoogleCalendarPage />);
    const link = await screen.findByText("Ouvrir");
    expect(link.closest("a")).toBeNull();
    expect(screen.queryByRole("link", { name: "piège" })).toBeNull();
    expect(preview().getByText(/^Événement privé/)).toBeVisible();
    expect(screen.getByRole("region", { name: "Aperçu" }).querySelector("img, script, a")).toBeNull();
  });

  it("is marked as French, the language that events are written in, on an English page", async () => {
    new Router(samples.connected);
    mount(<GoogleCalendarPage />, { locale: "en" });
    const title = await screen.findByText("[Cassius] Implant — Marie Durand");
    expect(title).toHaveAttribute("lang", "fr");
    expect(screen.getByText(/Dr Hélène Morel/)).toHaveAttribute("lang", "fr");
  });

  it("offers to try again when the preview cannot be had", async () => {
    new Router(samples.connected);
    refuse("post", "preview", 503, "SERVICE_UNAVAILABLE");
    const { user } = mount(<GoogleCalendarPage />);
    expect(await screen.findByText("L’aperçu n’a pas pu être chargé.")).toBeVisible();
    new Router(samples.connected);
    await user.click(preview().getByRole("button", { name: "Réessayer" }));
    expect(await screen.findByText("[Cassius] Implant — Marie Durand")).toBeVisible();
  });
});
