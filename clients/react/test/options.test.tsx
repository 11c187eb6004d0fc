import { screen, waitFor, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { describe, expect, it } from "vitest";
import * as samples from "../gallery/samples";
import { GoogleCalendarPage } from "../src";
import { mount } from "./host";
import { BASE, refuse, Router, server, silence } from "./router";

const options = () => within(screen.getByRole("region", { name: "Options" }));
const preview = () => within(screen.getByRole("region", { name: "Aperçu" }));
const [primary, second, third] = samples.calendars;
const reordered = [second, primary, third];
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
  it("sends what was kept meanwhile, and tells both in one sentence", async () => {
    const router = new Router(samples.paused);
    const { user } = mount(<GoogleCalendarPage />);
    await waitFor(() => expect(toggle()).toBeEnabled());
    await user.click(toggle());
    expect(
      await screen.findByText("La synchronisation est activée. Synchronisation lancée. 3 rendez-vous à envoyer."),
    ).toBeInTheDocument();
    expect(
      router.asked
        .map((asked) => asked.route)
        .filter((route) => route !== "preview")
        .slice(-2),
    ).toEqual(["settings", "sync-now"]);
    expect(toggle()).toBeChecked();
  });

  it("says that it is on, and why nothing was sent, when the sending could not be started", async () => {
    new Router(samples.paused);
    refuse("post", "sync-now", 503, "GOOGLE_UNAVAILABLE");
    const { user } = mount(<GoogleCalendarPage />);
    await waitFor(() => expect(toggle()).toBeEnabled());
    await user.click(toggle());
    expect(
      await screen.findByText("La synchronisation est activée. Google ne répond pas. Réessayez dans un instant."),
    ).toBeInTheDocument();
    expect(toggle()).toBeChecked();
  });

  it("sends nothing when it is turned off or could not be turned on", async () => {
    const router = new Router(samples.connected);
    const { user } = mount(<GoogleCalendarPage />);
    await waitFor(() => expect(toggle()).toBeChecked());
    await user.click(toggle());
    await screen.findByText("La synchronisation est en pause.");
    refuse("patch", "settings", 503, "SERVICE_UNAVAILABLE");
    await user.click(toggle());
    await screen.findByText(/le réglage précédent est rétabli/);
    expect(router.to("sync-now")).toHaveLength(0);
  });
});

describe("the dropdown of calendars", () => {
  it("lists the primary calendar first, whatever the order of the answer", async () => {
    new Router(samples.connected);
    server.use(http.get(`${BASE}/calendars`, () => HttpResponse.json({ calendars: reordered })));
    const { user } = mount(<GoogleCalendarPage />);
    await waitFor(() => expect(options().getByRole("button", { name: /Calendrier de destination/ })).toBeEnabled());
    await user.click(options().getByRole("button", { name: /Calendrier de destination/ }));
    const names = screen.getAllByRole("option").map((option) => option.textContent);
    expect(names).toEqual(["Cabinet des LilasPrincipal", "Bloc implantaire", "Hygiène et contrôles"]);
    expect(screen.getByRole("option", { selected: true })).toHaveTextContent("Cabinet des Lilas");
  });

  it("asks before events move, keeps the present calendar when called off, and gives focus back", async () => {
    const router = new Router(samples.connected);
    const { user } = mount(<GoogleCalendarPage />);
    const dropdown = await screen.findByRole("button", { name: /Calendrier de destination/ });
    await waitFor(() => expect(dropdown).toBeEnabled());
    await user.click(dropdown);
    await user.click(screen.getByRole("option", { name: "Hygiène et contrôles" }));
    const window = within(await screen.findByRole("dialog", { name: "Changer de calendrier" }));
    expect(
      await window.findByText("86 événements à venir seront déplacés vers « Hygiène et contrôles »."),
    ).toBeVisible();
    await user.click(window.getByRole("button", { name: "Annuler" }));
    await waitFor(() => expect(dropdown).toHaveFocus());
    expect(dropdown).toHaveTextContent("Cabinet des Lilas");
    expect(router.to("settings")).toHaveLength(0);
  });

  it("cannot be used once the grant is dead, though the list was kept", async () => {
    const router = new Router(samples.connected);
    mount(<GoogleCalendarPage />, { withStream: true });
    const dropdown = await screen.findByRole("button", { name: /Calendrier de destination/ });
    await waitFor(() => expect(dropdown).toBeEnabled());
    await waitFor(() => expect(router.watchers).toBe(1));
    router.become(samples.reconnectNeeded);
    await waitFor(() => expect(dropdown).toHaveAttribute("aria-disabled", "true"));
  });

  it("shows the present calendar and says so when the list cannot be had", async () => {
    new Router(samples.connected);
    refuse("get", "calendars", 503, "GOOGLE_UNAVAILABLE");
    mount(<GoogleCalendarPage />);
    expect(await screen.findByText("La liste des calendriers n’a pas pu être chargée.")).toBeVisible();
    expect(options().getByRole("button", { name: /Calendrier de destination/ })).toHaveTextContent("Cabinet des Lilas");
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

  it("shows the description's links and text, and drops whatever else its HTML holds", async () => {
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
    const link = await screen.findByRole("link", { name: /^Ouvrir/ });
    expect(link).toHaveAttribute("href", "https://cassius.example.com/rdv/1");
    expect(link).toHaveAccessibleName("Ouvrir (nouvel onglet)");
    expect(link).toHaveAttribute("rel", "noopener noreferrer");
    expect(screen.queryByRole("link", { name: "piège" })).toBeNull();
    expect(screen.getByRole("region", { name: "Aperçu" }).querySelector("img, script")).toBeNull();
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
