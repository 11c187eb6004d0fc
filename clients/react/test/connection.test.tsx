import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { afterEach, describe, expect, it, vi } from "vitest";
import * as samples from "../gallery/samples";
import { GoogleCalendarPage } from "../src";
import { mount, setOnline } from "./host";
import { BASE, cut, refuse, Router, server, silence } from "./router";

const section = (name: string) => screen.getByRole("region", { name });
const button = (name: string | RegExp) => screen.getByRole("button", { name });

describe("Connexion, before an account is connected", () => {
  it("says what will be sent and what never will", async () => {
    new Router(samples.notConnected);
    mount(<GoogleCalendarPage />);
    expect(await screen.findByText("Ce qui sera envoyé")).toBeVisible();
    expect(screen.getByText("Ce qui ne sera jamais envoyé")).toBeVisible();
    expect(screen.getByText("Non connecté")).toBeVisible();
    expect(screen.queryByRole("region", { name: "Options" })).toBeNull();
  });

  it("starts the consent, to come back to this page, and leaves for the address it was given", async () => {
    const router = new Router(samples.notConnected);
    const redirect = vi.fn();
    const { user } = mount(<GoogleCalendarPage />, { redirect });
    await user.click(await screen.findByRole("button", { name: "Connecter Google Calendar" }));
    await waitFor(() =>
      expect(redirect).toHaveBeenCalledWith("https://cassius.example.com/api/integrations/google/connect"),
    );
    expect(router.to("begin-connect")[0]?.body).toEqual({ returnPath: "/settings/integrations/google-calendar" });
    expect(button("Ouverture de Google…")).toHaveFocus();
  });

  it("can be pressed again when the browser brings the page back from Google as it was left", async () => {
    new Router(samples.notConnected);
    const { user } = mount(<GoogleCalendarPage />, { redirect: () => undefined });
    await user.click(await screen.findByRole("button", { name: "Connecter Google Calendar" }));
    await screen.findByRole("button", { name: "Ouverture de Google…" });
    fireEvent(window, Object.assign(new Event("pageshow"), { persisted: true }));
    expect(await screen.findByRole("button", { name: "Connecter Google Calendar" })).not.toHaveAttribute(
      "aria-disabled",
    );
  });

  it("tells when the consent could not be started and lets one try again", async () => {
    new Router(samples.notConnected);
    refuse("post", "begin-connect", 503, "SERVICE_UNAVAILABLE");
    const redirect = vi.fn();
    const { user } = mount(<GoogleCalendarPage />, { redirect });
    await user.click(await screen.findByRole("button", { name: "Connecter Google Calendar" }));
    expect(await screen.findByText("Le service ne répond pas. Réessayez dans un instant.")).toBeVisible();
    expect(button("Connecter Google Calendar")).toBeEnabled();
    expect(redirect).not.toHaveBeenCalled();
  });
});

describe("Connexion, with an account", () => {
  it("shows the account, the calendar with its id, the state and the last sync with its exact time on focus", async () => {
    new Router(samples.connected);
    const { user } = mount(<GoogleCalendarPage />);
    const connection = within(section("Connexion"));
    expect(await connection.findByText("Cabinet des Lilas")).toBeVisible();
    expect(connection.getAllByText("cabinet.lilas@example.com")).toHaveLength(2);
    expect(connection.getByText("OK")).toBeVisible();
    expect(connection.getByText("1 248 RDV synchronisés · 3 en attente")).toBeVisible();

    const moment = connection.getByRole("button", { name: "il y a 5 minutes" });
    expect(screen.queryByRole("tooltip")).toBeNull();
    while (document.activeElement !== moment) await user.tab();
    const exact = new Date(samples.connected.lastSyncTime ?? "");
    expect(await screen.findByRole("tooltip")).toHaveTextContent(String(exact.getFullYear()));
  });

  it("holds the place of everything while the first answer is awaited", () => {
    new Router(samples.connected);
    silence("get", "status");
    const { container } = mount(<GoogleCalendarPage />);
    for (const name of ["Connexion", "Options", "Aperçu", "Erreurs"]) {
      expect(section(name)).toHaveAttribute("aria-busy", "true");
    }
    expect(container.querySelectorAll(".cc-skeleton").length).toBeGreaterThan(10);
  });

  it("tells a delay by Google as a delay with the time of the next try, not as an error", async () => {
    new Router(samples.throttled);
    mount(<GoogleCalendarPage />);
    expect(await screen.findByText("Retardée")).toBeVisible();
    expect(screen.getByText("Google demande de patienter")).toBeVisible();
    expect(screen.getByText("Prochain essai", { exact: false })).toHaveTextContent(/Prochain essai \d\d:\d\d/);
    expect(screen.getByText("Connecté")).toBeVisible();
    expect(screen.queryByText("En erreur")).toBeNull();
    expect(screen.queryByText("Erreur")).toBeNull();
  });
});

describe("« Synchroniser maintenant »", () => {
  it("shows the progress that the stream tells, and announces the end once", async () => {
    const router = new Router(samples.connected);
    const { user } = mount(<GoogleCalendarPage />, { withStream: true });
    await user.click(await screen.findByRole("button", { name: "Synchroniser maintenant" }));
    const bar = await screen.findByRole("progressbar", { name: "Synchronisation en cours" });
    await waitFor(() => expect(bar).toHaveAttribute("aria-valuemax", "3"));
    expect(screen.getByText("Synchronisation lancée. 3 rendez-vous à envoyer.")).toBeInTheDocument();

    await waitFor(() => expect(router.watchers).toBe(1));
    router.become({ ...samples.connected, catchUp: { total: 3, done: 1, failed: 1, startTime: null } });
    await waitFor(() => expect(screen.getByRole("progressbar")).toHaveAttribute("aria-valuenow", "2"));
    expect(screen.getByRole("progressbar")).toHaveAttribute("aria-valuetext", "2 sur 3 · 1 refusé");

    router.become(samples.connected);
    await waitFor(() => expect(screen.queryByRole("progressbar")).toBeNull());
    expect(screen.getByText("Synchronisation terminée. 1 rendez-vous a été refusé.")).toBeInTheDocument();
  });

  it("tells a failure in a line that Escape takes away, wherever focus is", async () => {
    new Router(samples.connected);
    refuse("post", "sync-now", 503, "SERVICE_UNAVAILABLE");
    const { user } = mount(<GoogleCalendarPage />);
    await user.click(await screen.findByRole("button", { name: "Synchroniser maintenant" }));
    await screen.findByText("Le service ne répond pas. Réessayez dans un instant.");
    await user.keyboard("{Escape}");
    expect(screen.queryByText("Le service ne répond pas. Réessayez dans un instant.")).toBeNull();
    expect(button("Synchroniser maintenant")).toHaveFocus();
  });

  it("claims no more than the service knows when nothing was waiting", async () => {
    new Router(samples.connected);
    server.use(http.post(`${BASE}/sync-now`, () => HttpResponse.json({ queuedCount: 0, status: samples.connected })));
    const { user } = mount(<GoogleCalendarPage />);
    await user.click(await screen.findByRole("button", { name: "Synchroniser maintenant" }));
    expect(await screen.findByText("Rien n’attendait d’être envoyé.")).toBeVisible();
  });

  it("asks once, however fast it is pressed", async () => {
    const router = new Router(samples.connected);
    mount(<GoogleCalendarPage />);
    const action = await screen.findByRole("button", { name: "Synchroniser maintenant" });
    act(() => {
      action.click();
      action.click();
    });
    await screen.findByRole("progressbar", { name: "Synchronisation en cours" });
    expect(router.to("sync-now")).toHaveLength(1);
  });

  it("does not seem at work while Google asks for patience, and says until when", async () => {
    const router = new Router({ ...samples.throttled, catchUp: samples.syncing.catchUp });
    const { user } = mount(<GoogleCalendarPage />);
    const action = await screen.findByRole("button", { name: "Synchroniser maintenant" });
    expect(action.querySelector(".cc-spinner")).toBeNull();
    expect(action).toHaveAttribute("aria-disabled", "true");
    expect(action).toHaveAccessibleDescription(/^Reprise prévue\s: \d\d:\d\d$/);
    await user.click(action);
    expect(router.to("sync-now")).toHaveLength(0);
  });

  it("keeps its focus while the work is under way", async () => {
    new Router(samples.connected);
    const { user } = mount(<GoogleCalendarPage />);
    await user.click(await screen.findByRole("button", { name: "Synchroniser maintenant" }));
    await screen.findByRole("progressbar", { name: "Synchronisation en cours" });
    expect(button(/Synchroniser maintenant/)).toHaveFocus();
    expect(button(/Synchroniser maintenant/)).toHaveAttribute("aria-disabled", "true");
  });
});

describe("« Déconnecter »", () => {
  it("asks what to do with the events, keeps them unless told otherwise, and gives focus back when it is called off", async () => {
    const router = new Router(samples.connected);
    const { user } = mount(<GoogleCalendarPage />);
    await user.click(await screen.findByRole("button", { name: "Déconnecter" }));
    const question = await screen.findByRole("alertdialog", { name: /Déconnecter Google Calendar/ });
    expect(within(question).getByRole("radio", { name: /Garder les événements/ })).toBeChecked();
    expect(within(question).getByText(/86 événements seront supprimés/)).toBeVisible();
    await user.keyboard("{Escape}");
    await waitFor(() => expect(screen.queryByRole("alertdialog")).toBeNull());
    await waitFor(() => expect(button("Déconnecter")).toHaveFocus());
    expect(router.to("disconnect")).toHaveLength(0);
  });

  it("deletes the upcoming events when asked, says how many went, and leaves focus on the section", async () => {
    const router = new Router(samples.connected);
    const { user } = mount(<GoogleCalendarPage />);
    await user.click(await screen.findByRole("button", { name: "Déconnecter" }));
    const question = within(await screen.findByRole("alertdialog"));
    await user.click(question.getByRole("radio", { name: /Supprimer les événements à venir/ }));
    await user.click(question.getByRole("button", { name: "Déconnecter" }));
    expect(await screen.findByText("Ce qui sera envoyé")).toBeVisible();
    expect(router.to("disconnect")[0]?.body).toEqual({ remoteEvents: "delete_upcoming" });
    expect(screen.getByText("Google Calendar est déconnecté. 2 événements ont été supprimés.")).toBeInTheDocument();
    await waitFor(() => expect(screen.getByRole("heading", { name: "Connexion" })).toHaveFocus());
  });

  it("tells the result even when the stream knew of it first", async () => {
    const router = new Router(samples.connected);
    const { user } = mount(<GoogleCalendarPage />, { withStream: true });
    await user.click(await screen.findByRole("button", { name: "Déconnecter" }));
    await waitFor(() => expect(router.watchers).toBe(1));
    router.become(samples.notConnected);
    expect(await screen.findByText("Ce qui sera envoyé")).toBeInTheDocument();
    const question = within(screen.getByRole("alertdialog"));
    expect(question.getByText(/cabinet\.lilas@example\.com/)).toBeVisible();
    await user.click(question.getByRole("button", { name: "Déconnecter" }));
    expect(await screen.findByText(/Google Calendar est déconnecté/)).toBeInTheDocument();
    await waitFor(() => expect(screen.getByRole("heading", { name: "Connexion" })).toHaveFocus());
  });

  it("stays open with the reason when it did not succeed", async () => {
    new Router(samples.connected);
    cut("post", "disconnect");
    const { user } = mount(<GoogleCalendarPage />);
    await user.click(await screen.findByRole("button", { name: "Déconnecter" }));
    const question = within(await screen.findByRole("alertdialog"));
    await user.click(question.getByRole("button", { name: "Déconnecter" }));
    expect(await question.findByRole("alert")).toHaveTextContent("Le service ne répond pas");
  });
});

describe("« Changer de calendrier »", () => {
  it("says how many events will move before anything does", async () => {
    const router = new Router(samples.connected);
    const { user } = mount(<GoogleCalendarPage />);
    await user.click(await screen.findByRole("button", { name: "Changer de calendrier" }));
    const window = within(await screen.findByRole("dialog", { name: "Changer de calendrier" }));
    expect(await window.findByText("C’est le calendrier actuel : rien ne sera déplacé.")).toBeVisible();
    expect(window.getByRole("button", { name: "Changer de calendrier" })).toBeDisabled();

    await user.click(window.getByRole("button", { name: /Nouveau calendrier/ }));
    await user.click(await screen.findByRole("option", { name: "Bloc implantaire" }));
    expect(await window.findByText("86 événements à venir seront déplacés vers « Bloc implantaire ».")).toBeVisible();
    expect(router.to("settings")).toHaveLength(0);

    await user.click(window.getByRole("button", { name: "Changer de calendrier" }));
    expect(await screen.findByText("Le calendrier est maintenant « Bloc implantaire ».")).toBeInTheDocument();
    expect(router.to("settings")[0]?.body).toEqual({ calendarId: "c_bloc7f2k@group.calendar.example.com" });
    await waitFor(() => expect(button("Changer de calendrier")).toHaveFocus());
  });

  it("offers the primary calendar when the present one is gone", async () => {
    new Router(samples.calendarGone);
    const { user } = mount(<GoogleCalendarPage />);
    await user.click(await screen.findByRole("button", { name: "Choisir un autre calendrier" }));
    const window = within(await screen.findByRole("dialog"));
    expect(await window.findByText(/vers « Cabinet des Lilas »/)).toBeVisible();
    expect(window.getByRole("button", { name: "Changer de calendrier" })).toBeEnabled();
  });
});

describe("a calendar that Google no longer has", () => {
  const gone = samples.calendars[1] ?? null;
  const lost = { ...samples.calendarGone, calendar: gone };

  it("is neither picked nor offered, though the list that was kept still holds it", async () => {
    new Router(lost);
    const { user } = mount(<GoogleCalendarPage />);
    await user.click(await screen.findByRole("button", { name: "Choisir un autre calendrier" }));
    const window = within(await screen.findByRole("dialog"));
    expect(await window.findByText(/vers « Cabinet des Lilas »/)).toBeVisible();
    await user.click(window.getByRole("button", { name: /Nouveau calendrier/ }));
    expect(screen.getAllByRole("option").map((option) => option.textContent)).toEqual([
      "Cabinet des LilasPrincipal",
      "Hygiène et contrôles",
    ]);
  });

  it("is looked for anew when the window opens", async () => {
    const router = new Router(samples.connected);
    const { user } = mount(<GoogleCalendarPage />);
    await waitFor(() => expect(router.to("calendars")).toHaveLength(1));
    await user.click(await screen.findByRole("button", { name: "Changer de calendrier" }));
    await screen.findByRole("dialog");
    await waitFor(() => expect(router.to("calendars")).toHaveLength(2));
  });

  it("leaves the list when a change to it is refused", async () => {
    const router = new Router(samples.connected);
    refuse("patch", "settings", 409, "CALENDAR_UNAVAILABLE");
    const { user } = mount(<GoogleCalendarPage />);
    await user.click(await screen.findByRole("button", { name: "Changer de calendrier" }));
    const window = within(await screen.findByRole("dialog"));
    await window.findByText("C’est le calendrier actuel : rien ne sera déplacé.");
    await waitFor(() => expect(router.to("calendars")).toHaveLength(2));
    await user.click(window.getByRole("button", { name: /Nouveau calendrier/ }));
    await user.click(screen.getByRole("option", { name: "Hygiène et contrôles" }));
    await user.click(window.getByRole("button", { name: "Changer de calendrier" }));
    expect(await window.findByRole("alert")).toHaveTextContent("Ce calendrier n’est plus accessible.");
    await waitFor(() => expect(router.to("calendars")).toHaveLength(3));
  });
});

describe("the page without its service", () => {
  afterEach(() => setOnline(true));

  it("says that it is offline, keeps what it knew, and takes no action", async () => {
    const router = new Router(samples.connected);
    const { user } = mount(<GoogleCalendarPage />);
    await screen.findByText("Cabinet des Lilas", { selector: ".cc-row *" });
    setOnline(false);
    expect(await screen.findByText("Vous êtes hors ligne")).toBeVisible();
    expect(screen.getAllByText("cabinet.lilas@example.com")[0]).toBeVisible();
    for (const name of ["Synchroniser maintenant", "Déconnecter", "Changer de calendrier"]) {
      expect(button(name)).toHaveAttribute("aria-disabled", "true");
      await user.click(button(name));
    }
    expect(screen.getByRole("switch")).toHaveAttribute("aria-readonly", "true");
    await user.click(screen.getByRole("switch"));
    await user.click(screen.getByRole("radio", { name: /Initiales/ }));
    await user.click(button(/Calendrier de destination/));
    expect(screen.queryByRole("dialog")).toBeNull();
    expect(screen.queryByRole("alertdialog")).toBeNull();
    expect(screen.queryByRole("listbox")).toBeNull();
    expect(router.asked.filter(({ method, route }) => method !== "GET" && route !== "preview")).toEqual([]);
    setOnline(true);
    await waitFor(() => expect(screen.queryByText("Vous êtes hors ligne")).toBeNull());
  });

  it.each([
    ["switch", /Synchroniser les RDV/],
    ["radio", /Nom complet/],
    ["button", /Calendrier de destination/],
    ["button", "Synchroniser maintenant"],
  ] as const)("leaves focus where it is when the network goes: %s %s", async (role, name) => {
    new Router(samples.connected);
    mount(<GoogleCalendarPage />);
    await screen.findByText("OK");
    await waitFor(() => expect(screen.getByRole(role, { name })).toBeEnabled());
    const held = screen.getByRole(role, { name });
    act(() => held.focus());
    setOnline(false);
    await screen.findByText("Vous êtes hors ligne");
    expect(held).toBeEnabled();
    expect(held).toHaveFocus();
  });

  it("says that the service is away when the stream tells so, and takes it back when it returns", async () => {
    const router = new Router(samples.connected);
    mount(<GoogleCalendarPage />, { withStream: true });
    await waitFor(() => expect(router.watchers).toBe(1));
    await screen.findByText("OK");
    router.tell("unavailable", { reason: "SERVICE_UNAVAILABLE", message: "" });
    expect(await screen.findByText("Le service de synchronisation ne répond pas")).toBeVisible();
    expect(screen.getByText("OK")).toBeVisible();
    router.become(samples.connected);
    await waitFor(() => expect(screen.queryByText("Le service de synchronisation ne répond pas")).toBeNull());
  });

  it("offers to try again when nothing was ever answered", async () => {
    new Router(samples.connected);
    refuse("get", "status", 503, "SERVICE_UNAVAILABLE");
    const { user } = mount(<GoogleCalendarPage />);
    expect(await screen.findByRole("alert")).toHaveTextContent("Le service de synchronisation ne répond pas");
    new Router(samples.connected);
    await user.click(button("Réessayer"));
    expect(await screen.findByText("Connecté")).toBeVisible();
    await waitFor(() => expect(screen.getByRole("heading", { level: 1 })).toHaveFocus());
  });

  it("stands still while it asks again, and keeps focus on the button", async () => {
    new Router(samples.connected);
    refuse("get", "status", 503, "SERVICE_UNAVAILABLE");
    const { user } = mount(<GoogleCalendarPage />);
    const notice = await screen.findByRole("alert");
    silence("get", "status");
    await user.click(button("Réessayer"));
    expect(button("Réessayer")).toHaveAttribute("aria-disabled", "true");
    expect(screen.getByRole("alert")).toBe(notice);
    expect(button("Réessayer")).toHaveFocus();
    expect(screen.queryByRole("region", { name: "Connexion" })).toBeNull();
  });

  it("tells that there is still no answer after asking again", async () => {
    new Router(samples.connected);
    refuse("get", "status", 503, "SERVICE_UNAVAILABLE");
    const { user } = mount(<GoogleCalendarPage />);
    const notice = await screen.findByRole("alert");
    await user.click(button("Réessayer"));
    expect(await screen.findByText("Le service ne répond pas. Réessayez dans un instant.")).toBeVisible();
    expect(screen.getByRole("alert")).toBe(notice);
    expect(button("Réessayer")).toHaveFocus();
  });

  it("holds the place of everything while there was no network for the first answer", async () => {
    new Router(samples.connected);
    setOnline(false);
    cut("get", "status");
    mount(<GoogleCalendarPage />);
    expect(await screen.findByText("Vous êtes hors ligne")).toBeVisible();
    setOnline(true);
    await waitFor(() => expect(screen.queryByText("Vous êtes hors ligne")).toBeNull());
    expect(section("Connexion")).toHaveAttribute("aria-busy", "true");
  });

  it("says that the person has no access", async () => {
    new Router(samples.connected);
    refuse("get", "status", 403, "NOT_ALLOWED");
    mount(<GoogleCalendarPage />);
    expect(await screen.findByText("Vous n’avez pas accès à cette page")).toBeVisible();
  });
});
