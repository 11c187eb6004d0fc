import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { describe, expect, it, vi } from "vitest";
import * as samples from "../gallery/samples";
import { GoogleCalendarPage } from "../src";
import { mount } from "./host";
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
    expect(await screen.findByText("Le service n’a pas répondu. Réessayez dans un instant.")).toBeVisible();
    expect(button("Connecter Google Calendar")).toBeEnabled();
    expect(redirect).not.toHaveBeenCalled();
  });
});

describe("Connexion, with an account", () => {
  it("shows the account, the calendar, the state and the last sync with its exact time on focus", async () => {
    new Router(samples.connected);
    const { user } = mount(<GoogleCalendarPage />);
    const connection = within(section("Connexion"));
    expect(await connection.findByText("Cabinet des Lilas")).toBeVisible();
    // The id of the primary calendar is the address itself: it is not said twice.
    expect(connection.getAllByText("cabinet.lilas@example.com")).toHaveLength(1);
    expect(connection.queryByRole("button", { name: /^Copier l’identifiant/ })).toBeNull();
    expect(connection.getByRole("link", { name: /^Ouvrir dans Google Cabinet des Lilas/ })).toHaveAttribute(
      "href",
      "https://calendar.google.com/calendar/?authuser=cabinet.lilas%40example.com",
    );
    expect(connection.getByText("OK")).toBeVisible();
    expect(connection.getByText("1 248 RDV synchronisés · 3 en attente")).toBeVisible();

    const moment = connection.getByRole("button", { name: "il y a 5 minutes" });
    expect(screen.queryByRole("tooltip")).toBeNull();
    while (document.activeElement !== moment) await user.tab();
    const exact = new Date(samples.connected.lastSyncTime ?? "");
    expect(await screen.findByRole("tooltip")).toHaveTextContent(String(exact.getFullYear()));
  });

  it("lets the id of another calendar be copied", async () => {
    new Router({ ...samples.connected, calendar: samples.calendars[1] ?? null });
    const { user } = mount(<GoogleCalendarPage />);
    await user.click(await screen.findByRole("button", { name: "Copier l’identifiant du calendrier" }));
    expect(await navigator.clipboard.readText()).toBe(samples.calendars[1]?.id);
  });

  it("holds the place of everything while the first answer is awaited", () => {
    new Router(samples.connected);
    silence("get", "status");
    const { container } = mount(<GoogleCalendarPage />);
    for (const name of ["Connexion", "Options", "Aperçu", "À traiter"]) {
      expect(section(name)).toHaveAttribute("aria-busy", "true");
    }
    expect(container.querySelectorAll(".cc-skeleton").length).toBeGreaterThan(10);
  });

  it("tells a delay by Google as a delay with the time of the next try, not as an error", async () => {
    new Router(samples.throttled);
    mount(<GoogleCalendarPage />);
    expect(await screen.findByText("Retardée")).toBeVisible();
    expect(screen.getByText("Google demande de patienter")).toBeVisible();
    expect(screen.getByText("Prochain essai", { exact: false })).toHaveTextContent(/Prochain essai \d\d? h \d\d/);
    expect(screen.getByText("Envoi retardé")).toBeVisible();
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
    router.become({ ...samples.connected, catchUp: { total: 3, done: 2, failed: 0, startTime: null } });
    await waitFor(() => expect(screen.getByRole("progressbar")).toHaveAttribute("aria-valuenow", "2"));
    expect(screen.getByRole("progressbar")).toHaveAttribute("aria-valuetext", "2 sur 3");

    const counts = { ...samples.connected.counts, error: 1 };
    router.become({ ...samples.connected, counts, catchUp: { total: 3, done: 1, failed: 1, startTime: null } });
    await waitFor(() => expect(screen.queryByRole("progressbar")).toBeNull());
    router.become({ ...samples.connected, counts });
    expect(await screen.findByText("Synchronisation terminée. 1 rendez-vous a été refusé.")).toBeInTheDocument();
  });

  it.each([
    ["none of whose steps was seen", [{ total: 2, done: 0, failed: 0, startTime: null }], 0],
    ["whose last step was not", [{ total: 3, done: 1, failed: 1, startTime: null }], 1],
    ["beside what was refused before", [{ total: 2, done: 0, failed: 0, startTime: null }], 5],
  ])("tells of what was refused in a catch-up %s", async (_, [catchUp = null], error) => {
    const counts = { ...samples.connected.counts, error };
    const router = new Router({ ...samples.connected, counts, catchUp });
    mount(<GoogleCalendarPage />, { withStream: true });
    await waitFor(() => expect(router.watchers).toBe(1));
    await screen.findByRole("heading", { name: "Connexion" });
    const refused = 2 + error - (catchUp?.failed ?? 0);
    router.become({ ...samples.connected, counts: { ...counts, error: refused } });
    expect(await screen.findByText("Synchronisation terminée. 2 rendez-vous ont été refusés.")).toBeInTheDocument();
    expect(screen.queryByText("Synchronisation terminée.")).toBeNull();
  });

  it("tells a failure in a line that Escape takes away, wherever focus is", async () => {
    new Router(samples.connected);
    refuse("post", "sync-now", 503, "SERVICE_UNAVAILABLE");
    const { user } = mount(<GoogleCalendarPage />);
    await user.click(await screen.findByRole("button", { name: "Synchroniser maintenant" }));
    await screen.findByText("Le service n’a pas répondu. Réessayez dans un instant.");
    await user.keyboard("{Escape}");
    expect(screen.queryByText("Le service n’a pas répondu. Réessayez dans un instant.")).toBeNull();
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
    expect(action).toHaveAccessibleDescription(/^Reprise prévue\s: \d\d?\sh\s\d\d$/);
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
    expect(
      screen.getByText(
        "Google Calendar est déconnecté. 2 événements ont été supprimés. L’autorisation donnée à Cassius est retirée.",
      ),
    ).toBeInTheDocument();
    await waitFor(() => expect(screen.getByRole("heading", { name: "Connexion" })).toHaveFocus());
  });

  it.each([
    ["shared", /un autre cabinet utilise ce compte/],
    ["pending", /Cassius le redemande pendant 24 heures/],
    ["refused", /faites-le sur myaccount\.google\.com\/connections/],
  ])("tells what became of the permission: %s", async (grantEnd, words) => {
    const router = new Router(samples.connected);
    server.use(
      http.post(`${BASE}/disconnect`, () => {
        router.status = samples.notConnected;
        return HttpResponse.json({ status: router.status, deletedEventCount: 0, remainingEventCount: 0, grantEnd });
      }),
    );
    const { user } = mount(<GoogleCalendarPage />);
    await user.click(await screen.findByRole("button", { name: "Déconnecter" }));
    await user.click(within(await screen.findByRole("alertdialog")).getByRole("button", { name: "Déconnecter" }));
    expect(await screen.findByText(words)).toHaveTextContent(/^Google Calendar est déconnecté\./);
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

  it("says that it goes on when the answer comes before the end", async () => {
    const router = new Router(samples.connected);
    server.use(
      http.post(`${BASE}/disconnect`, () => {
        router.status = samples.disconnecting;
        return HttpResponse.json({ status: samples.disconnecting, deletedEventCount: 31, remainingEventCount: 55 });
      }),
    );
    const { user } = mount(<GoogleCalendarPage />);
    await user.click(await screen.findByRole("button", { name: "Déconnecter" }));
    await user.click(within(await screen.findByRole("alertdialog")).getByRole("button", { name: "Déconnecter" }));
    expect(await screen.findByText("La déconnexion se poursuit. Vous pouvez quitter cette page.")).toBeInTheDocument();
    expect(screen.getByRole("progressbar")).toHaveAttribute("aria-valuenow", "31");
    expect(screen.queryByText(/n’ont pas pu être supprimés/)).toBeNull();
    await waitFor(() => expect(screen.getByRole("heading", { name: "Connexion" })).toHaveFocus());
  });

  it("gives way to its progress as soon as that is told, and tells the result all the same", async () => {
    const router = new Router(samples.connected);
    let answer: () => void = () => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    server.use(
      http.post(`${BASE}/disconnect`, async () => {
        await answered;
        return HttpResponse.json({
          status: samples.notConnected,
          deletedEventCount: 86,
          remainingEventCount: 0,
          grantEnd: "revoked",
        });
      }),
    );
    const { user } = mount(<GoogleCalendarPage />, { withStream: true });
    await user.click(await screen.findByRole("button", { name: "Déconnecter" }));
    await waitFor(() => expect(router.watchers).toBe(1));
    await user.click(within(await screen.findByRole("alertdialog")).getByRole("button", { name: "Déconnecter" }));
    await screen.findByRole("button", { name: "Déconnexion…" });
    router.become(samples.disconnecting);
    await waitFor(() => expect(screen.queryByRole("alertdialog")).toBeNull());
    expect(button("Terminer sans supprimer")).toBeEnabled();
    await waitFor(() => expect(screen.getByRole("heading", { name: "Connexion" })).toHaveFocus());
    button("Terminer sans supprimer").focus();
    answer();
    expect(await screen.findByText(/86 événements ont été supprimés/, {}, { timeout: 4_000 })).toBeInTheDocument();
  });

  it("cannot be left by Escape while it is under way, and leaves focus on the section", async () => {
    const router = new Router(samples.connected);
    let answer: () => void = () => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    server.use(
      http.post(`${BASE}/disconnect`, async () => {
        await answered;
        router.status = samples.notConnected;
        return HttpResponse.json({
          status: router.status,
          deletedEventCount: 0,
          remainingEventCount: 0,
          grantEnd: "revoked",
        });
      }),
    );
    const { user } = mount(<GoogleCalendarPage />);
    await user.click(await screen.findByRole("button", { name: "Déconnecter" }));
    await user.click(within(await screen.findByRole("alertdialog")).getByRole("button", { name: "Déconnecter" }));
    await screen.findByRole("button", { name: "Déconnexion…" });
    await user.keyboard("{Escape}");
    expect(screen.getByRole("alertdialog")).toBeVisible();
    answer();
    await screen.findByText("Ce qui sera envoyé");
    await waitFor(() => expect(screen.getByRole("heading", { name: "Connexion" })).toHaveFocus());
  });

  it("leaves focus on the section when its window is closed after another has disconnected", async () => {
    const router = new Router(samples.connected);
    const { user } = mount(<GoogleCalendarPage />, { withStream: true });
    await user.click(await screen.findByRole("button", { name: "Déconnecter" }));
    await waitFor(() => expect(router.watchers).toBe(1));
    router.become(samples.disconnecting);
    await screen.findByText(/^Plus rien n’est envoyé/);
    await user.keyboard("{Escape}");
    await waitFor(() => expect(screen.getByRole("heading", { name: "Connexion" })).toHaveFocus());
  });

  it("stays open with the reason when it did not succeed", async () => {
    new Router(samples.connected);
    cut("post", "disconnect");
    const { user } = mount(<GoogleCalendarPage />);
    await user.click(await screen.findByRole("button", { name: "Déconnecter" }));
    const question = within(await screen.findByRole("alertdialog"));
    await user.click(question.getByRole("button", { name: "Déconnecter" }));
    expect(await question.findByRole("alert")).toHaveTextContent("Le service n’a pas répondu");
  });
});

describe("a disconnect under way", () => {
  it("counts nothing as still to be sent", async () => {
    new Router({ ...samples.disconnecting, counts: { ...samples.disconnecting.counts, synced: 1, unsent: 19 } });
    mount(<GoogleCalendarPage />);
    expect(await screen.findByText("1 RDV synchronisé")).toBeVisible();
    expect(screen.queryByText(/à envoyer|en attente/)).toBeNull();
  });

  it("shows how far it is and offers nothing that would be refused", async () => {
    const router = new Router(samples.disconnecting);
    mount(<GoogleCalendarPage />, { withStream: true });
    const bar = await screen.findByRole("progressbar", { name: "Suppression des événements" });
    expect(bar).toHaveAttribute("aria-valuetext", "31 sur 86");
    expect(screen.queryByRole("region", { name: "Options" })).toBeNull();
    expect(screen.queryByRole("region", { name: "À traiter" })).toBeNull();
    for (const name of [
      "Déconnecter",
      "Changer de calendrier",
      "Synchroniser maintenant",
      "Connecter Google Calendar",
    ]) {
      expect(screen.queryByRole("button", { name })).toBeNull();
    }

    await waitFor(() => expect(router.watchers).toBe(1));
    router.become({ ...samples.disconnecting, disconnect: { total: 86, done: 60, failed: 2, startTime: null } });
    await waitFor(() =>
      expect(screen.getByRole("progressbar")).toHaveAttribute("aria-valuetext", "62 sur 86 · 2 refusés"),
    );
    router.become(samples.notConnected);
    expect(await screen.findByText("Google Calendar est déconnecté.")).toBeInTheDocument();
    expect(screen.getByText("Ce qui sera envoyé")).toBeVisible();
  });

  it("ends at once when asked to, keeps the rest, and leaves focus where it stood", async () => {
    const router = new Router(samples.disconnecting);
    const { user } = mount(<GoogleCalendarPage />);
    await user.click(await screen.findByRole("button", { name: "Terminer sans supprimer" }));
    expect(await screen.findByText("Google Calendar est déconnecté.")).toBeInTheDocument();
    expect(router.to("disconnect")[0]?.body).toEqual({ remoteEvents: "keep" });
    await waitFor(() => expect(screen.getByRole("group", { name: "État de la synchronisation" })).toHaveFocus());
  });

  it("that somebody else begins takes the buttons away, and their focus to the section", async () => {
    const router = new Router(samples.connected);
    mount(<GoogleCalendarPage />, { withStream: true });
    await waitFor(() => expect(router.watchers).toBe(1));
    const disconnect = await screen.findByRole("button", { name: "Déconnecter" });
    disconnect.focus();
    router.become(samples.disconnecting);
    await waitFor(() => expect(screen.getByRole("heading", { name: "Connexion" })).toHaveFocus());
  });

  it("stays as it is, with the reason, when it could not be ended", async () => {
    new Router(samples.disconnecting);
    refuse("post", "disconnect", 503, "SERVICE_UNAVAILABLE");
    const { user } = mount(<GoogleCalendarPage />);
    await user.click(await screen.findByRole("button", { name: "Terminer sans supprimer" }));
    expect(await screen.findByText("Le service n’a pas répondu. Réessayez dans un instant.")).toBeVisible();
    expect(button("Terminer sans supprimer")).toHaveFocus();
  });

  it("offers no end without deletions where all events are kept", async () => {
    new Router({ ...samples.disconnecting, disconnect: { total: 0, done: 0, failed: 0, startTime: null } });
    mount(<GoogleCalendarPage />);
    expect(await screen.findByText(/^Plus rien n’est envoyé/)).toBeVisible();
    expect(screen.queryByRole("button", { name: "Terminer sans supprimer" })).toBeNull();
    expect(screen.queryByRole("progressbar")).toBeNull();
  });
});
