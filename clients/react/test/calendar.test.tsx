import { act, screen, waitFor, within } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { afterEach, describe, expect, it } from "vitest";
import * as samples from "../gallery/samples";
import { GoogleCalendarPage } from "../src";
import { mount, setOnline } from "./host";
import { BASE, cut, refuse, Router, server, silence } from "./router";

const section = (name: string) => screen.getByRole("region", { name });
const button = (name: string | RegExp) => screen.getByRole("button", { name });

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
    expect(await window.findByText(/seront recréés dans « Cabinet des Lilas »/)).toBeVisible();
    expect(window.getByRole("button", { name: "Changer de calendrier" })).toBeEnabled();
  });
});

describe("the list of calendars", () => {
  /** Opens the window, and answers what is in it. */
  const opened = async (user: ReturnType<typeof mount>["user"]) => {
    await user.click(await screen.findByRole("button", { name: "Changer de calendrier" }));
    return within(await screen.findByRole("dialog", { name: "Changer de calendrier" }));
  };
  const field = { name: /Nouveau calendrier/ };

  it("has the order of the service, marks the primary one, and is asked for where one is chosen alone", async () => {
    const router = new Router(samples.connected);
    const { user } = mount(<GoogleCalendarPage />);
    await screen.findByText("Cabinet des Lilas", { selector: ".cc-row *" });
    expect(router.to("calendars")).toEqual([]);
    const window = await opened(user);
    expect(await window.findByText("Seuls les calendriers où le compte peut écrire sont proposés.")).toBeVisible();
    await waitFor(() => expect(window.getByRole("button", field)).toBeEnabled());
    await user.click(window.getByRole("button", field));
    expect(screen.getAllByRole("option").map((option) => option.textContent)).toEqual([
      "Cabinet des LilasPrincipal",
      "Bloc implantaire",
      "Hygiène et contrôlesÀ quelqu’un d’autre",
    ]);
    expect(screen.getByRole("option", { selected: true })).toHaveTextContent("Cabinet des Lilas");
  });

  it("moves nothing when it is called off, and gives focus back", async () => {
    const router = new Router(samples.connected);
    const { user } = mount(<GoogleCalendarPage />);
    const window = await opened(user);
    await waitFor(() => expect(window.getByRole("button", field)).toBeEnabled());
    await user.click(window.getByRole("button", field));
    await user.click(screen.getByRole("option", { name: /^Hygiène et contrôles/ }));
    await user.click(window.getByRole("button", { name: "Annuler" }));
    await waitFor(() => expect(button("Changer de calendrier")).toHaveFocus());
    expect(screen.getByText("Cabinet des Lilas", { selector: ".cc-row *" })).toBeVisible();
    expect(router.to("settings")).toHaveLength(0);
  });

  it.each([
    ["OVERLOADED", "Trop de demandes étaient en cours. Réessayez dans quelques secondes."],
    ["GOOGLE_UNAVAILABLE", "Google n’a pas répondu. Réessayez dans un instant."],
  ])("says why it could not be read: %s", async (reason, words) => {
    new Router(samples.connected);
    refuse("get", "calendars", 503, reason);
    const { user } = mount(<GoogleCalendarPage />);
    const window = await opened(user);
    expect(await window.findByText("La liste des calendriers n’a pas pu être chargée.")).toBeVisible();
    expect(window.getByText(words)).toBeVisible();
  });

  it("cannot be had once the grant is dead", async () => {
    const router = new Router(samples.connected);
    mount(<GoogleCalendarPage />, { withStream: true });
    const change = await screen.findByRole("button", { name: "Changer de calendrier" });
    await waitFor(() => expect(router.watchers).toBe(1));
    router.become(samples.reconnectNeeded);
    await waitFor(() => expect(change).toHaveAttribute("aria-disabled", "true"));
  });

  it("says that Google was not allowed to tell it, and leads to the consent for it", async () => {
    const router = new Router(samples.connected);
    const [primary] = samples.calendars;
    server.use(
      http.get(`${BASE}/calendars`, () => HttpResponse.json({ calendars: [primary], isListPermitted: false })),
    );
    const { user } = mount(<GoogleCalendarPage />, { redirect: () => undefined });
    const window = await opened(user);
    expect(await window.findByText(/^Il manque l’autorisation/)).toBeVisible();
    await user.click(window.getByRole("button", { name: "Autoriser la liste" }));
    await waitFor(() => expect(router.to("begin-connect")).toHaveLength(1));
  });

  it("shows the present calendar while it is on its way, and when it cannot be had says so and tries again", async () => {
    new Router(samples.connected);
    silence("get", "calendars");
    const { user } = mount(<GoogleCalendarPage />);
    const loading = await opened(user);
    expect(loading.getByText("Chargement des calendriers…")).toBeVisible();
    expect(loading.getByRole("button", field)).toHaveTextContent("Cabinet des Lilas");
    await user.click(loading.getByRole("button", { name: "Annuler" }));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());

    refuse("get", "calendars", 503, "GOOGLE_UNAVAILABLE");
    const failed = await opened(user);
    expect(await failed.findByText("La liste des calendriers n’a pas pu être chargée.")).toBeVisible();
    expect(failed.getByRole("button", field)).toHaveTextContent("Cabinet des Lilas");
    expect(failed.getByRole("button", { name: "Changer de calendrier" })).toBeDisabled();
    new Router(samples.connected);
    await user.click(failed.getByRole("button", { name: "Réessayer" }));
    expect(await failed.findByText("C’est le calendrier actuel : rien ne sera déplacé.")).toBeVisible();
  });
});

describe("a calendar that is not the account's own", () => {
  it("says in the list whose it is, and before it is taken who will read what there", async () => {
    const router = new Router({ ...samples.connected, titlePrivacy: "initials" });
    const { user } = mount(<GoogleCalendarPage />);
    await user.click(await screen.findByRole("button", { name: "Changer de calendrier" }));
    const window = within(await screen.findByRole("dialog"));
    const pick = async (name: string | RegExp) => {
      await user.click(window.getByRole("button", { name: /Nouveau calendrier/ }));
      const options = await screen.findAllByRole("option");
      expect(options.map((option) => option.textContent)).toEqual([
        "Cabinet des LilasPrincipal",
        "Bloc implantaire",
        "Hygiène et contrôlesÀ quelqu’un d’autre",
      ]);
      await user.click(screen.getByRole("option", { name }));
    };
    await pick(/^Hygiène et contrôles/);
    const notice = (await window.findByText(/^Ce calendrier appartient à quelqu’un d’autre/)).closest("[role=status]");
    expect(notice).toHaveTextContent(
      /Qui peut modifier ce calendrier lira les initiales du patient\. Qui ne peut que le voir lira «\soccupé\s»\.$/,
    );
    expect(router.to("settings")).toEqual([]);
    await pick("Bloc implantaire");
    expect(window.queryByText(/quelqu’un d’autre, qui/)).toBeNull();
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
    expect(await window.findByText(/seront recréés dans « Cabinet des Lilas »/)).toBeVisible();
    await user.click(window.getByRole("button", { name: /Nouveau calendrier/ }));
    expect(screen.getAllByRole("option").map((option) => option.textContent)).toEqual([
      "Cabinet des LilasPrincipal",
      "Hygiène et contrôlesÀ quelqu’un d’autre",
    ]);
  });

  it("is looked for anew whenever the window opens", async () => {
    const router = new Router(samples.connected);
    const { user } = mount(<GoogleCalendarPage />);
    for (const times of [1, 2]) {
      await user.click(await screen.findByRole("button", { name: "Changer de calendrier" }));
      await screen.findByRole("dialog");
      await waitFor(() => expect(router.to("calendars")).toHaveLength(times));
      await user.click(button("Annuler"));
      await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    }
  });

  it("leaves the list when a change to it is refused", async () => {
    const router = new Router(samples.connected);
    refuse("patch", "settings", 409, "CALENDAR_UNAVAILABLE");
    const { user } = mount(<GoogleCalendarPage />);
    await user.click(await screen.findByRole("button", { name: "Changer de calendrier" }));
    const window = within(await screen.findByRole("dialog"));
    await window.findByText("C’est le calendrier actuel : rien ne sera déplacé.");
    expect(router.to("calendars")).toHaveLength(1);
    await user.click(window.getByRole("button", { name: /Nouveau calendrier/ }));
    await user.click(screen.getByRole("option", { name: /^Hygiène et contrôles/ }));
    await user.click(window.getByRole("button", { name: "Changer de calendrier" }));
    expect(await window.findByRole("alert")).toHaveTextContent("Ce calendrier n’est plus accessible.");
    await waitFor(() => expect(router.to("calendars")).toHaveLength(2));
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
    expect(screen.queryByRole("dialog")).toBeNull();
    expect(screen.queryByRole("alertdialog")).toBeNull();
    expect(router.asked.filter(({ method, route }) => method !== "GET" && route !== "preview")).toEqual([]);
    setOnline(true);
    await waitFor(() => expect(screen.queryByText("Vous êtes hors ligne")).toBeNull());
  });

  it.each([
    ["switch", /Synchroniser les RDV/],
    ["radio", /Nom complet/],
    ["button", "Changer de calendrier"],
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
    // What was known stands, but nothing says that it is so.
    expect(screen.getByText(samples.connected.googleEmail ?? "")).toBeVisible();
    expect(screen.queryByText("OK")).toBeNull();
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
    expect(await screen.findByText("Le service n’a pas répondu. Réessayez dans un instant.")).toBeVisible();
    expect(screen.getByRole("alert")).toBe(notice);
    expect(button("Réessayer")).toHaveFocus();
  });

  it("holds the place of everything while there was no network for the first answer", async () => {
    new Router(samples.connected);
    setOnline(false);
    cut("get", "status");
    mount(<GoogleCalendarPage />);
    await waitFor(() => expect(screen.getByText("Vous êtes hors ligne")).toBeVisible());
    expect(section("Connexion")).toHaveAttribute("aria-busy", "true");
    silence("get", "status");
    setOnline(true);
    // Until somebody has answered, nothing more is known.
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(screen.getByText("Vous êtes hors ligne")).toBeVisible();
    expect(section("Connexion")).toHaveAttribute("aria-busy", "true");
  });

  it("says that the person has no access", async () => {
    new Router(samples.connected);
    refuse("get", "status", 403, "NOT_ALLOWED");
    mount(<GoogleCalendarPage />);
    expect(await screen.findByText("Vous n’avez pas accès à cette page")).toBeVisible();
  });
});
