import { screen, waitFor, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { describe, expect, it, vi } from "vitest";
import * as samples from "../gallery/samples";
import { GoogleCalendarPage } from "../src";
import type { AppointmentLinkJson, CalendarJson, ProblemJson } from "../src/wire";
import { mount } from "./host";
import { BASE, refuse, Router, server } from "./router";

const health = () => within(screen.getByRole("group", { name: "État de la synchronisation" }));
const errors = () => within(screen.getByRole("region", { name: "À traiter" }));
const rows = () => within(screen.getByRole("list", { name: "Rendez-vous en erreur" })).getAllByRole("listitem");
const row = (nth: number) => {
  const found = rows()[nth];
  if (!found) throw new Error(`there is no row ${nth}`);
  return within(found);
};
const [first] = samples.linksInError;

describe("what is wrong with the whole integration", () => {
  it("does not say that all was accepted while some still wait", async () => {
    new Router(samples.connected);
    mount(<GoogleCalendarPage />);
    expect(await screen.findByText("3 rendez-vous attendent encore d’être envoyés.")).toBeVisible();
  });

  it("shows no OK beside appointments in error", async () => {
    new Router(samples.someRefused);
    mount(<GoogleCalendarPage />);
    expect(await screen.findByText("1 248 RDV synchronisés · 3 en attente · 3 en erreur")).toBeVisible();
    expect(screen.queryByText("OK")).toBeNull();
    expect(screen.getByText("Erreur")).toBeVisible();
  });

  it("says that there is none", async () => {
    const router = new Router(samples.connected);
    mount(<GoogleCalendarPage />);
    expect(await screen.findByText("Aucun rendez-vous à traiter")).toBeVisible();
    expect(router.to("links")).toHaveLength(0);
  });

  it("offers to reconnect when the grant is dead, and asks Google for nothing meanwhile", async () => {
    const router = new Router(samples.reconnectNeeded);
    const redirect = vi.fn();
    const { user } = mount(<GoogleCalendarPage />, { redirect });
    expect(await screen.findByText("Google n’autorise plus Cassius à écrire")).toBeVisible();
    expect(screen.getByText("En erreur")).toBeVisible();
    const syncNow = screen.getByRole("button", { name: "Synchroniser maintenant" });
    expect(syncNow).toHaveAttribute("aria-disabled", "true");
    await user.click(syncNow);
    expect(syncNow).toHaveFocus();
    expect(router.to("sync-now")).toHaveLength(0);
    expect(syncNow).toHaveAccessibleDescription("Reconnectez d’abord le compte Google.");
    expect(screen.getByText("Reconnectez d’abord le compte Google.", { selector: ".cc-result *" })).toBeVisible();
    await user.click(health().getByRole("button", { name: "Reconnecter Google Calendar" }));
    await waitFor(() => expect(redirect).toHaveBeenCalledOnce());
    expect(router.to("calendars")).toHaveLength(0);
  });

  it("stands before every section, and leads to the appointments that were refused", async () => {
    new Router(samples.someRefused);
    const { user } = mount(<GoogleCalendarPage />);
    expect(await screen.findByText("3 rendez-vous ne sont pas dans Google")).toBeVisible();
    const place = screen.getByRole("group", { name: "État de la synchronisation" });
    const section = screen.getByRole("region", { name: "Connexion" });
    expect(place.compareDocumentPosition(section) & Node.DOCUMENT_POSITION_FOLLOWING).toBeTruthy();
    await user.click(health().getByRole("button", { name: "Voir lesquels" }));
    expect(screen.getByRole("heading", { name: "À traiter" })).toHaveFocus();
  });

  it("offers nothing that it gives no way to, where the account is shut out of Calendar", async () => {
    new Router(samples.accountUnavailable);
    mount(<GoogleCalendarPage />);
    expect(
      await health().findByText(/^L’administrateur du compte Google doit le rétablir ; .* tout seul\. Signalé/),
    ).toBeVisible();
    expect(health().queryByText(/autre compte/)).toBeNull();
  });

  it("says of the next try that it comes, where that is now", async () => {
    new Router({
      ...samples.throttled,
      problem: { ...samples.throttled.problem, retryTime: samples.inMinutes(0) } as ProblemJson,
    });
    mount(<GoogleCalendarPage />);
    expect(await health().findByRole("button", { name: "dans un instant" })).toBeVisible();
  });

  it("shows neither spinner nor bar while nothing can be sent", async () => {
    new Router({ ...samples.reconnectNeeded, catchUp: samples.syncing.catchUp });
    const { container } = mount(<GoogleCalendarPage />);
    await screen.findByText("Google n’autorise plus Cassius à écrire");
    expect(screen.queryByRole("progressbar")).toBeNull();
    await waitFor(() => expect(container.querySelector(".cc-spinner")).toBeNull());
  });

  it.each([
    ["KEYRING_INCOMPLETE", "Il manque à Cassius une clé de chiffrement"],
    ["INTERNAL", "Un défaut de Cassius arrête la synchronisation"],
  ] as const)("has words for %s", async (reason, title) => {
    const problem = { ...samples.keyringIncomplete.problem, reason } as ProblemJson;
    new Router({ ...samples.keyringIncomplete, problem });
    mount(<GoogleCalendarPage />);
    expect(await screen.findByText(title)).toBeVisible();
    expect(health().getByText(/Votre cabinet n’a rien à faire/)).toBeVisible();
    expect(health().queryByRole("button", { name: /Reconnecter|Choisir/ })).toBeNull();
  });

  it("lets one choose another calendar when it is gone, and leaves focus where it was chosen", async () => {
    const router = new Router(samples.calendarGone);
    const { user } = mount(<GoogleCalendarPage />, { withStream: true });
    await user.click(await screen.findByRole("button", { name: "Choisir un autre calendrier" }));
    const window = within(await screen.findByRole("dialog"));
    expect(await window.findByText("86 événements à venir seront recréés dans « Cabinet des Lilas ».")).toBeVisible();
    await user.click(window.getByRole("button", { name: "Changer de calendrier" }));
    await waitFor(() => expect(router.to("settings")).toHaveLength(1));
    router.become(samples.connected);
    expect(await screen.findByText("Tout est en ordre")).toBeVisible();
    await waitFor(() => expect(screen.getByRole("group", { name: "État de la synchronisation" })).toHaveFocus());
  });

  it.each([
    [samples.calendarGone, "86 événements recréés dans « Cabinet des Lilas »."],
    [
      { ...samples.connected, calendar: samples.calendars[1] ?? null },
      "86 événements déplacés vers « Cabinet des Lilas ».",
    ],
  ])("tells at the end of a change what became of the events (%#)", async (before, words) => {
    const router = new Router(before);
    const catchUp = { total: 86, done: 0, failed: 0, startTime: null };
    server.use(
      http.patch(`${BASE}/settings`, () => {
        router.status = { ...samples.syncing, catchUp };
        return HttpResponse.json({ status: router.status });
      }),
    );
    const { user } = mount(<GoogleCalendarPage />, { withStream: true });
    await user.click(await screen.findByRole("button", { name: "Changer de calendrier" }));
    const window = within(await screen.findByRole("dialog"));
    await waitFor(() => expect(window.getByRole("button", { name: /Nouveau calendrier/ })).toBeEnabled());
    await user.click(window.getByRole("button", { name: /Nouveau calendrier/ }));
    await user.click(screen.getByRole("option", { name: /^Cabinet des Lilas/ }));
    await user.click(window.getByRole("button", { name: "Changer de calendrier" }));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    router.become(samples.connected);
    expect(await screen.findByText(words)).toBeInTheDocument();
  });

  it("leaves focus in its place when the calendar that is chosen mends it at once", async () => {
    new Router(samples.calendarGone);
    server.use(http.patch(`${BASE}/settings`, () => HttpResponse.json({ status: samples.connected })));
    const { user } = mount(<GoogleCalendarPage />);
    await user.click(await screen.findByRole("button", { name: "Choisir un autre calendrier" }));
    const window = within(await screen.findByRole("dialog"));
    expect(await window.findByText("86 événements à venir seront recréés dans « Cabinet des Lilas ».")).toBeVisible();
    await user.click(window.getByRole("button", { name: "Changer de calendrier" }));
    expect(await screen.findByText("3 rendez-vous attendent encore d’être envoyés.")).toBeVisible();
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    await waitFor(() => expect(screen.getByRole("group", { name: "État de la synchronisation" })).toHaveFocus());
  });

  it("shows the service's own words for a problem that it does not know", async () => {
    new Router({
      ...samples.calendarGone,
      problem: {
        reason: "SOMETHING_NEW",
        message: "Phrase du service.",
        action: "contact_operator",
        sinceTime: null,
        retryTime: null,
      },
    });
    mount(<GoogleCalendarPage />);
    expect(await screen.findByText("Phrase du service.")).toBeVisible();
  });
});

describe("what is told without having been asked for", () => {
  const told = () => document.querySelector(".cc-result-words");

  it("is that the grant was revoked, and that all is well again", async () => {
    const router = new Router(samples.connected);
    mount(<GoogleCalendarPage />, { withStream: true });
    await screen.findByText("OK");
    await waitFor(() => expect(router.watchers).toBe(1));
    expect(told()).toBeEmptyDOMElement();
    router.become(samples.reconnectNeeded);
    await waitFor(() => expect(told()).toHaveTextContent("Google n’autorise plus Cassius à écrire"));
    router.become(samples.connected);
    await waitFor(() => expect(told()).toHaveTextContent("La synchronisation fonctionne à nouveau."));
  });

  it("is that an appointment was refused again", async () => {
    const router = new Router(samples.someRefused);
    const { user } = mount(<GoogleCalendarPage />, { withStream: true });
    await waitFor(() => expect(rows()).toHaveLength(3));
    await waitFor(() => expect(router.watchers).toBe(1));
    await user.click(row(0).getByRole("button", { name: /^Réessayer/ }));
    await screen.findByText("1 rendez-vous va être réessayé.");
    router.become({ ...samples.someRefused, counts: { ...samples.someRefused.counts, error: 2, pending: 1 } });
    await screen.findByRole("heading", { name: "2 rendez-vous en erreur" });
    router.become(samples.someRefused);
    await waitFor(() => expect(told()).toHaveTextContent("3 rendez-vous en erreur"));
  });
});

describe("À traiter", () => {
  it("names each by the host's own words, which lead to it, with its date and a readable reason", async () => {
    new Router(samples.someRefused);
    const navigate = vi.fn();
    const { user } = mount(<GoogleCalendarPage />, {
      navigate,
      renderAppointment: (id) => <>Implant, Léa Exemple ({id.length})</>,
      appointmentPath: (id) => `/calendar?rdv=${id}`,
    });
    await waitFor(() => expect(rows()).toHaveLength(3));
    expect(row(0).getByText(/^Implant, Léa Exemple/)).toBeVisible();
    expect(row(0).getByText("Google a refusé cet événement.")).toBeVisible();
    await user.click(row(0).getByRole("link", { name: /^Ouvrir le rendez-vous/ }));
    expect(navigate).toHaveBeenCalledWith(`/calendar?rdv=${first?.appointmentId ?? ""}`);
  });

  it("shows the date, a readable reason and, when asked, the technical id of each", async () => {
    new Router(samples.someRefused);
    const { user } = mount(<GoogleCalendarPage />);
    await screen.findByText("3 rendez-vous en erreur");
    await waitFor(() => expect(rows()).toHaveLength(3));
    const one = row(0);
    expect(one.getByText(String(new Date(first?.startTime ?? "").getFullYear()), { exact: false })).toBeVisible();
    expect(one.getByText("Google a refusé cet événement.")).toBeVisible();
    expect(one.getByText(first?.appointmentId ?? "")).not.toBeVisible();
    expect(row(2).getByText("Date inconnue")).toBeVisible();
    await user.click(one.getByText("Détails"));
    expect(one.getByText(first?.appointmentId ?? "")).toBeVisible();
  });

  it("tells the date in the zone of the calendar", async () => {
    const calendar = { ...samples.calendars[0], timeZone: "Asia/Tokyo" } as CalendarJson;
    const router = new Router({ ...samples.someRefused, calendar });
    router.links = {
      links: [{ ...first, startTime: "2026-03-12T08:00:00Z" } as AppointmentLinkJson],
      nextPageToken: null,
    };
    mount(<GoogleCalendarPage />);
    expect(await errors().findByText(/17\sh\s00.*Japon/)).toBeVisible();
  });

  it("copies the technical id", async () => {
    new Router(samples.someRefused);
    const { user } = mount(<GoogleCalendarPage />);
    await user.click(
      await screen.findByRole("button", { name: `Copier l’identifiant technique ${first?.appointmentId ?? ""}` }),
    );
    expect(await navigator.clipboard.readText()).toBe(first?.appointmentId);
    expect(await screen.findByText("Copié")).toBeInTheDocument();
  });

  it("retries one, takes it off the list and keeps focus in the list", async () => {
    const router = new Router(samples.someRefused);
    const { user } = mount(<GoogleCalendarPage />);
    await waitFor(() => expect(rows()).toHaveLength(3));
    await user.click(row(0).getByRole("button", { name: /^Réessayer/ }));
    await waitFor(() => expect(rows()).toHaveLength(2));
    expect(router.to("retry")[0]?.body).toEqual({ appointmentIds: [first?.appointmentId] });
    expect(screen.getByText("1 rendez-vous va être réessayé.")).toBeInTheDocument();
    await waitFor(() => expect(screen.getByRole("heading", { name: "2 rendez-vous en erreur" })).toHaveFocus());
  });

  it("retries all and leaves focus on the section when none is left", async () => {
    const router = new Router(samples.someRefused);
    const { user } = mount(<GoogleCalendarPage />);
    await user.click(await screen.findByRole("button", { name: "Tout réessayer" }));
    expect(await screen.findByText("Aucun rendez-vous à traiter")).toBeVisible();
    expect(router.to("retry")[0]?.body).toEqual({});
    expect(screen.getByText("3 rendez-vous vont être réessayés.")).toBeInTheDocument();
    await waitFor(() => expect(screen.getByRole("heading", { name: "À traiter" })).toHaveFocus());
  });

  it.each([
    ["the account has to be reconnected", { ...samples.reconnectNeeded, counts: samples.someRefused.counts }],
    ["the sync is paused", { ...samples.someRefused, isEnabled: false }],
  ])("retries nothing while %s, and says why", async (_, status) => {
    const router = new Router(status);
    const { user } = mount(<GoogleCalendarPage />);
    await waitFor(() => expect(rows()).toHaveLength(3));
    const why = status.isEnabled ? "Reconnectez d’abord le compte Google." : "Réactivez d’abord la synchronisation.";
    for (const retry of [
      errors().getByRole("button", { name: "Tout réessayer" }),
      row(0).getByRole("button", { name: /^Réessayer/ }),
    ]) {
      expect(retry).toHaveAccessibleDescription(why);
      await user.click(retry);
    }
    expect(router.to("retry")).toHaveLength(0);
  });

  it("tells when a retry could not be asked for, and keeps the row", async () => {
    new Router(samples.someRefused);
    refuse("post", "retry", 503, "SERVICE_UNAVAILABLE");
    const { user } = mount(<GoogleCalendarPage />);
    await user.click(await screen.findByRole("button", { name: "Tout réessayer" }));
    expect(await screen.findByText("Le service n’a pas répondu. Réessayez dans un instant.")).toBeInTheDocument();
    expect(rows()).toHaveLength(3);
  });

  it("shows the next page when asked", async () => {
    new Router(samples.someRefused);
    const [one, two, three] = samples.linksInError;
    server.use(
      http.get(`${BASE}/links`, ({ request }) => {
        const token = new URL(request.url).searchParams.get("pageToken");
        return HttpResponse.json(
          token === "next" ? { links: [three], nextPageToken: null } : { links: [one, two], nextPageToken: "next" },
        );
      }),
    );
    const { user } = mount(<GoogleCalendarPage />);
    await waitFor(() => expect(rows()).toHaveLength(2));
    await user.click(screen.getByRole("button", { name: "Afficher la suite" }));
    await waitFor(() => expect(rows()).toHaveLength(3));
    expect(screen.queryByRole("button", { name: "Afficher la suite" })).toBeNull();
    await waitFor(() => expect(rows()[2]).toHaveFocus());
    expect(screen.getByText("1 rendez-vous de plus est affiché.")).toBeInTheDocument();
  });

  it("puts the rows of a page in the order of their dates, those without one last", async () => {
    const router = new Router(samples.someRefused);
    router.links = { links: [...samples.linksInError].reverse(), nextPageToken: null };
    mount(<GoogleCalendarPage />);
    await waitFor(() => expect(rows()).toHaveLength(3));
    for (const [nth, link] of samples.linksInError.entries())
      expect(row(nth).getByText(link.appointmentId)).toBeInTheDocument();
  });

  it("asks again when the stream tells of another error", async () => {
    const router = new Router(samples.someRefused);
    router.links = { links: samples.linksInError.slice(0, 2), nextPageToken: null };
    mount(<GoogleCalendarPage />, { withStream: true });
    await waitFor(() => expect(rows()).toHaveLength(2));
    await waitFor(() => expect(router.watchers).toBe(1));
    router.links = { links: samples.linksInError, nextPageToken: null };
    router.become({ ...samples.someRefused, counts: { ...samples.someRefused.counts, error: 4 } });
    await waitFor(() => expect(rows()).toHaveLength(3));
  });
});

it("an appointment that is mended elsewhere takes no focus to the list, and does not scroll there", async () => {
  const router = new Router(samples.someRefused);
  mount(<GoogleCalendarPage />, { withStream: true });
  await screen.findByRole("list", { name: "Rendez-vous en erreur" });
  await waitFor(() => expect(router.watchers).toBe(1));
  expect(document.body).toHaveFocus();
  router.links = { links: [], nextPageToken: null };
  router.become(samples.connected);
  expect(await screen.findByText("Aucun rendez-vous à traiter")).toBeVisible();
  await waitFor(() => expect(screen.queryByRole("list", { name: "Rendez-vous en erreur" })).toBeNull());
  expect(document.body).toHaveFocus();
});
