import { screen, waitFor, within } from "@testing-library/react";
import type { UserEvent } from "@testing-library/user-event";
import { useEffect, useState, type ReactElement } from "react";
import { afterEach, describe, expect, it, vi } from "vitest";
import * as samples from "../gallery/samples";
import {
  CalendarProvider,
  GoogleCalendarBadge,
  GoogleCalendarPage,
  IntegrationCard,
  IntegrationsPage,
  SettingsLayout,
  SettingsOverview,
  type Catalogue,
} from "../src";
import { en } from "../src/i18n/en";
import { mount, setOnline } from "./host";
import { refuse, Router, silence } from "./router";

describe("the way back from the consent", () => {
  const words = {
    connected: /Google Calendar est connecté/,
    denied: /La connexion a été annulée/,
    missing_scope: /Il manque une autorisation/,
    expired: /a expiré/,
    blocked: /administrateur de ce compte Google/,
    try_again: /vient d’être retiré/,
    failed: /n’a pas abouti/,
    "something-else": /n’a pas abouti/,
  };
  it.each(Object.entries(words))("announces %s once and takes it out of the address", async (word, text) => {
    window.history.replaceState(null, "", `/settings/integrations/google-calendar?tab=1&google=${word}#top`);
    new Router(samples.connected);
    mount(<GoogleCalendarPage />);
    const told = await screen.findByText(text);
    expect(told.closest("[role=status]")).not.toBeNull();
    expect(window.location.search + window.location.hash).toBe("?tab=1#top");
  });

  it.each([
    ["pending", /Cassius le redemande pendant 24 heures/],
    ["refused", /myaccount\.google\.com\/connections/],
  ])("tells beside it of an access that may still stand at Google: %s", async (word, text) => {
    window.history.replaceState(
      null,
      "",
      `/settings/integrations/google-calendar?google=missing_scope&google-grant=${word}`,
    );
    new Router(samples.notConnected);
    mount(<GoogleCalendarPage />);
    expect(await screen.findByText(words.missing_scope)).toBeInTheDocument();
    expect(await screen.findByText(text)).toBeInTheDocument();
    expect(window.location.search).toBe("");
  });

  it("has the room of the outcome from the start, though it is told afterwards", async () => {
    window.history.replaceState(null, "", "/settings/integrations/google-calendar?google=connected");
    new Router(samples.connected);
    mount(<GoogleCalendarPage />);
    expect(screen.getByText(words.connected)).not.toBeVisible();
    await waitFor(() => expect(screen.getByText(words.connected)).toBeVisible());
  });

  it.each([
    [
      "the next change",
      (router: Router) => {
        router.become(samples.someRefused);
        return Promise.resolve();
      },
    ],
    ["an action", async (_: Router, user: UserEvent) => await user.click(screen.getByRole("switch"))],
    ["✕", async (_: Router, user: UserEvent) => await user.click(screen.getByRole("button", { name: "Fermer" }))],
  ])("ends with %s", async (_, happen) => {
    window.history.replaceState(null, "", "/settings/integrations/google-calendar?google=connected");
    const router = new Router(samples.connected);
    const { user } = mount(<GoogleCalendarPage />, { withStream: true });
    expect(await screen.findByText(words.connected)).toBeInTheDocument();
    await waitFor(() => expect(router.watchers).toBe(1));
    await waitFor(() => expect(screen.getByRole("switch")).toBeEnabled());
    await happen(router, user);
    await waitFor(() => expect(screen.queryByText(words.connected)).toBeNull());
  });

  it("is no success over an error, and an error stays told beside what came of mending it", async () => {
    window.history.replaceState(null, "", "/settings/integrations/google-calendar?google=connected");
    new Router(samples.calendarGone);
    const { unmount } = mount(<GoogleCalendarPage />);
    expect(await screen.findByText("Le calendrier n’est plus accessible")).toBeVisible();
    expect(screen.queryByText(words.connected)).toBeNull();
    unmount();
    window.history.replaceState(null, "", "/settings/integrations/google-calendar?google=denied");
    new Router(samples.reconnectNeeded);
    mount(<GoogleCalendarPage />);
    expect(await screen.findByText("Google n’autorise plus Cassius à écrire")).toBeInTheDocument();
    expect(screen.getByText(words.denied)).toBeInTheDocument();
    expect(screen.getByRole("button", { name: "Reconnecter Google Calendar" })).toBeInTheDocument();
  });

  it("leaves for another consent when that is asked for where a consent is told to have failed", async () => {
    window.history.replaceState(null, "", "/settings/integrations/google-calendar?google=denied");
    new Router(samples.notConnected);
    const redirect = vi.fn();
    const { user } = mount(<GoogleCalendarPage />, { redirect });
    await screen.findByText(words.denied);
    await user.click(await screen.findByRole("button", { name: "Connecter Google Calendar" }));
    await waitFor(() => expect(redirect).toHaveBeenCalledOnce());
  });

  it("begins at the title", async () => {
    window.history.replaceState(null, "", "/settings/integrations/google-calendar?google=denied");
    new Router(samples.notConnected);
    mount(<GoogleCalendarPage />);
    await screen.findByText(words.denied);
    expect(screen.getByRole("heading", { level: 1 })).toHaveFocus();
  });

  it.each([
    ["what was never sent", samples.firstConnected],
    ["a restored service", samples.behind],
  ])("is over once anything else was told in its place: %s", async (_, status) => {
    window.history.replaceState(null, "", "/settings/integrations/google-calendar?google=connected");
    const router = new Router(status);
    mount(<GoogleCalendarPage />, { withStream: true });
    await waitFor(() => expect(router.watchers).toBe(1));
    await screen.findByText(/(ne sont pas encore dans Google|de plus que le service)$/);
    router.become(samples.connected);
    await screen.findByText("Tout est en ordre");
    expect(screen.queryByText(words.connected)).toBeNull();
  });

  it("says nothing without an outcome", async () => {
    new Router(samples.connected);
    mount(<GoogleCalendarPage />);
    await screen.findByText("OK");
    for (const text of Object.values(words)) expect(screen.queryByText(text)).toBeNull();
  });
});

describe("the settings layout", () => {
  function Host({ onMount }: { readonly onMount: () => void }): ReactElement {
    const [path, setPath] = useState("/settings/integrations");
    return (
      <CalendarProvider locale="fr" navigate={setPath}>
        <SettingsLayout currentPath={path}>
          <Marker onMount={onMount} />
          <p>{path}</p>
        </SettingsLayout>
      </CalendarProvider>
    );
  }
  function Marker({ onMount }: { readonly onMount: () => void }): null {
    useEffect(onMount, [onMount]);
    return null;
  }

  it("goes to a page without a reload and without mounting again", async () => {
    const onMount = vi.fn();
    const { user } = mount(<Host onMount={onMount} />);
    const navigation = within(screen.getByRole("navigation", { name: "Paramètres" }));
    expect(navigation.getAllByRole("link").map((link) => link.textContent)).toEqual([
      "Profil",
      "Organisation",
      "Intégrations",
      "Sécurité",
    ]);
    expect(navigation.getByRole("link", { name: "Intégrations" })).toHaveAttribute("aria-current", "page");
    await user.click(navigation.getByRole("link", { name: "Profil" }));
    expect(screen.getByText("/settings/profile")).toBeVisible();
    expect(navigation.getByRole("link", { name: "Profil" })).toHaveAttribute("aria-current", "page");
    expect(onMount).toHaveBeenCalledOnce();
  });

  it("marks the section of a page within it", () => {
    mount(
      <SettingsLayout currentPath="/settings/integrations/google-calendar">
        <p />
      </SettingsLayout>,
    );
    expect(screen.getByRole("link", { name: "Intégrations" })).toHaveAttribute("aria-current", "true");
  });

  it("opens its menu, closes it with Escape and gives focus back, and closes it on the way to a page", async () => {
    const { user } = mount(<Host onMount={() => undefined} />);
    const toggle = screen.getByRole("button", { name: /Menu des paramètres/ });
    await user.click(toggle);
    expect(toggle).toHaveAttribute("aria-expanded", "true");
    await user.tab();
    expect(screen.getByRole("link", { name: "Profil" })).toHaveFocus();
    await user.keyboard("{Escape}");
    expect(toggle).toHaveAttribute("aria-expanded", "false");
    expect(toggle).toHaveFocus();
    await user.click(toggle);
    await user.click(screen.getByRole("link", { name: "Sécurité" }));
    expect(toggle).toHaveAttribute("aria-expanded", "false");
    expect(toggle).toHaveFocus();
  });

  it("gives focus to the title of the new page when the link that led there is gone, and takes it from nobody else", async () => {
    new Router(samples.connected);
    function Pages(): ReactElement {
      const [path, setPath] = useState("/settings/integrations");
      return (
        <CalendarProvider locale="fr" navigate={setPath}>
          <SettingsLayout currentPath={path}>
            {path === "/settings/integrations" ? <IntegrationsPage /> : null}
            {path === "/settings/integrations/google-calendar" ? <GoogleCalendarPage /> : null}
          </SettingsLayout>
        </CalendarProvider>
      );
    }
    const { user } = mount(<Pages />);
    expect(document.body).toHaveFocus();
    await user.click(screen.getByRole("link", { name: "Configurer Google Calendar" }));
    expect(screen.getByRole("heading", { level: 1, name: "Google Calendar" })).toHaveFocus();
    const [, back] = screen.getAllByRole("link", { name: "Intégrations" });
    if (!back) throw new Error("there is no way back");
    await user.click(back);
    expect(screen.getByRole("heading", { level: 1, name: "Intégrations" })).toHaveFocus();
    await user.click(screen.getByRole("link", { name: "Profil" }));
    expect(screen.getByRole("link", { name: "Profil" })).toHaveFocus();
  });

  it("who may only look is told that nothing is connected, and is asked to do nothing about it", async () => {
    new Router(samples.notConnected);
    mount(<GoogleCalendarPage mayChange={false} />);
    const health = within(screen.getByRole("group", { name: "État de la synchronisation" }));
    expect(await health.findByText("Google Calendar n’est pas connecté")).toBeVisible();
    expect(health.getByText("Aucun rendez-vous n’est envoyé à Google.")).toBeVisible();
    expect(screen.queryByText("Connectez le compte Google du cabinet")).toBeNull();
  });

  it("draws links as the host says", () => {
    mount(
      <SettingsLayout currentPath="/settings/profile">
        <p />
      </SettingsLayout>,
      { renderLink: ({ href, ...props }) => <a {...props} href={`/app${href}`} data-router="host" /> },
    );
    const link = screen.getByRole("link", { name: "Profil" });
    expect(link).toHaveAttribute("href", "/app/settings/profile");
    expect(link).toHaveAttribute("data-router", "host");
  });
});

describe("who may only look", () => {
  it.each([
    [samples.reconnectNeeded, "Google n’autorise plus Cassius à écrire"],
    [samples.firstConnected, "37 rendez-vous à venir ne sont pas encore dans Google"],
    [samples.otherAccount, "Un autre compte Google attend une réponse"],
    [samples.disconnecting, "Aucun rendez-vous n’est envoyé à Google."],
    [samples.notConnected, "Google Calendar n’est pas connecté"],
  ])("sees how it stands and whom to tell, and is offered nothing (%#)", async (status, title) => {
    const router = new Router(status);
    mount(<GoogleCalendarPage mayChange={false} />);
    expect(await screen.findByText(title)).toBeVisible();
    expect(screen.getByText(/^Seule une personne gérante du cabinet/)).toBeVisible();
    expect(screen.queryByRole("switch")).toBeNull();
    for (const button of screen.queryAllByRole("button")) expect(button).toHaveClass("cc-moment");
    expect(router.asked.map(({ route }) => route)).toEqual(["status"]);
  });

  it.each([
    samples.reconnectNeeded,
    samples.calendarGone,
    samples.misconfigured,
    samples.accountUnavailable,
    samples.internal,
    samples.behind,
    samples.otherAccount,
    samples.firstConnected,
    samples.someRefused,
    { ...samples.internal, problem: null },
  ])("is told whom to tell, and given no order (%#)", async (status) => {
    new Router(status);
    mount(<GoogleCalendarPage mayChange={false} />);
    const health = within(screen.getByRole("group", { name: "État de la synchronisation" }));
    expect(await health.findByText(/Prévenez une personne gérante du cabinet\./)).toBeVisible();
    expect(health.queryByText(/\?$/)).toBeNull();
    expect(health.queryByText(/Reconnectez|Choisissez|support/)).toBeNull();
  });
});

describe("the overview of the settings", () => {
  it("leads to each page and says how it stands", async () => {
    new Router(samples.someRefused);
    const navigate = vi.fn();
    const { user } = mount(<SettingsOverview summaries={{ "/settings/profile": "Dr Camille Roche" }} />, { navigate });
    expect(screen.getByRole("heading", { level: 1, name: "Paramètres" })).toBeVisible();
    const [profile, , integrations] = screen.getAllByRole("listitem");
    expect(profile).toHaveTextContent("Dr Camille Roche");
    await waitFor(() => expect(integrations).toHaveTextContent(/Google Calendar\s*3 en erreur/));
    await user.click(screen.getByRole("link", { name: "Intégrations" }));
    expect(navigate).toHaveBeenCalledWith("/settings/integrations");
  });
});

describe("Intégrations", () => {
  const card = async (name: string) => within(await screen.findByRole("listitem", { name }));
  afterEach(() => setOnline(true));

  it.each([
    ["Non connecté", samples.notConnected],
    ["Connecté", samples.connected],
    ["En erreur", samples.reconnectNeeded],
    ["En pause", samples.paused],
    ["Envoi retardé", samples.throttled],
    ["3 en erreur", samples.someRefused],
  ])("says « %s »", async (word, status) => {
    new Router(status);
    mount(<IntegrationsPage />);
    expect(await (await card("Google Calendar")).findByText(word)).toBeVisible();
    expect((await card("Google Calendar")).getByRole("link", { name: "Configurer Google Calendar" })).toHaveAttribute(
      "href",
      "/settings/integrations/google-calendar",
    );
  });

  it("shows the last sync, and what is still to come", async () => {
    new Router(samples.connected);
    mount(<IntegrationsPage />);
    const google = await card("Google Calendar");
    expect(await google.findByRole("button", { name: "il y a 5 minutes" })).toBeVisible();
    for (const name of ["Doctolib", "Gmail"]) expect((await card(name)).getByText("Bientôt")).toBeVisible();
  });

  it("keeps the line of the last sync where nothing is connected", async () => {
    new Router(samples.notConnected);
    mount(<IntegrationsPage />);
    expect(await screen.findByText("Aucune synchronisation pour l’instant")).toBeVisible();
  });

  it("holds its places while loading, and stays usable without an answer", async () => {
    new Router(samples.connected);
    silence("get", "status");
    const { container, unmount } = mount(<IntegrationsPage />);
    expect(container.querySelectorAll(".cc-skeleton")).toHaveLength(2);
    unmount();
    refuse("get", "status", 503, "SERVICE_UNAVAILABLE");
    mount(<IntegrationsPage />);
    expect(await screen.findByText("Indisponible")).toBeVisible();
    expect(screen.getByRole("link", { name: "Configurer Google Calendar" })).toBeVisible();
  });

  it("stands still while it asks again after a failure", async () => {
    new Router(samples.connected);
    refuse("get", "status", 503, "SERVICE_UNAVAILABLE");
    mount(<IntegrationsPage />);
    const mark = await screen.findByText("Indisponible");
    silence("get", "status");
    setOnline(false);
    setOnline(true);
    await waitFor(() => expect(screen.queryByText("Vous êtes hors ligne")).toBeNull());
    expect(screen.getByText("Indisponible")).toBe(mark);
  });

  it("says that it is offline", async () => {
    new Router(samples.connected);
    mount(<IntegrationsPage />);
    await screen.findByText("Connecté");
    setOnline(false);
    expect(await screen.findByText("Vous êtes hors ligne")).toBeVisible();
    expect(screen.getByText("Hors ligne")).toBeVisible();
    expect(screen.queryByText("Connecté")).toBeNull();
  });
});

describe("the title of the document", () => {
  it.each([
    ["Google Calendar", <GoogleCalendarPage key="google" />],
    ["Intégrations", <IntegrationsPage key="integrations" />],
  ])("is « %s » while the page is shown, before the host's own", (title, page) => {
    document.title = "Cassius";
    new Router(samples.connected);
    const { unmount } = mount(page);
    expect(document.title).toBe(`${title} · Cassius`);
    unmount();
    expect(document.title).toBe("Cassius");
  });

  it("is left alone where the host says so", () => {
    document.title = "Cassius";
    new Router(samples.connected);
    mount(<IntegrationsPage />, { setsTitle: false });
    expect(document.title).toBe("Cassius");
  });
});

describe("the badge", () => {
  afterEach(() => setOnline(true));

  it("says that Google is connected, also during a delay", async () => {
    new Router(samples.throttled);
    mount(<GoogleCalendarBadge />);
    expect(await screen.findByText("Google connecté")).toBeVisible();
    expect(screen.getByText("retardé")).toBeVisible();
    expect(screen.queryByRole("link")).toBeNull();
  });

  it("does not claim a connection while the service is away", async () => {
    const router = new Router(samples.connected);
    mount(<GoogleCalendarBadge />, { withStream: true });
    await screen.findByText("Google connecté");
    await waitFor(() => expect(router.watchers).toBe(1));
    router.tell("unavailable", { reason: "SERVICE_UNAVAILABLE", message: "" });
    expect(await screen.findByText(/Google : état inconnu/)).toBeVisible();
    expect(screen.queryByText("Google connecté")).toBeNull();
    router.become(samples.connected);
    expect(await screen.findByText("Google connecté")).toBeVisible();
  });

  it("turns to an error that leads to the settings when the stream tells of it, and back when it is mended", async () => {
    const router = new Router(samples.connected);
    const navigate = vi.fn();
    const { user } = mount(<GoogleCalendarBadge />, { withStream: true, navigate });
    await screen.findByText("Google connecté");
    await waitFor(() => expect(router.watchers).toBe(1));
    router.become(samples.reconnectNeeded);
    const link = await screen.findByRole("link", { name: "Sync Google en erreur" });
    await user.click(link);
    expect(navigate).toHaveBeenCalledWith("/settings/integrations/google-calendar#google-calendar-standing");
    router.become(samples.connected);
    expect(await screen.findByText("Google connecté")).toBeVisible();
  });

  it("leads to how things stand: focus goes there, once that is known", async () => {
    window.history.replaceState(null, "", "/settings/integrations/google-calendar#google-calendar-standing");
    new Router(samples.reconnectNeeded);
    mount(<GoogleCalendarPage />);
    await screen.findByText("Google n’autorise plus Cassius à écrire");
    expect(screen.getByRole("group", { name: "État de la synchronisation" })).toHaveFocus();
    window.history.replaceState(null, "", "/");
  });

  it("holds its place while loading and says nothing without an integration", async () => {
    const router = new Router(samples.notConnected);
    const { container } = mount(<GoogleCalendarBadge />);
    expect(container.querySelector(".cc-skeleton")).not.toBeNull();
    await waitFor(() => expect(router.to("status")).toHaveLength(1));
    await waitFor(() => expect(screen.getByRole("status")).toBeEmptyDOMElement());
  });

  it("says that it does not know when nothing was ever answered", async () => {
    new Router(samples.connected);
    refuse("get", "status", 503, "SERVICE_UNAVAILABLE");
    mount(<GoogleCalendarBadge />);
    expect(await screen.findByText(/Google : état inconnu/)).toBeVisible();
  });

  it("says nothing to who may not see the integration", async () => {
    new Router(samples.connected);
    refuse("get", "status", 403, "NOT_ALLOWED");
    mount(<GoogleCalendarBadge />);
    await waitFor(() => expect(screen.getByRole("status")).toBeEmptyDOMElement());
  });

  it("is faint while offline", async () => {
    new Router(samples.reconnectNeeded);
    mount(<GoogleCalendarBadge />);
    await screen.findByText("Sync Google en erreur");
    setOnline(false);
    expect(await screen.findByText(/hors ligne/)).toBeVisible();
    expect(screen.queryByRole("link")).toBeNull();
  });

  it("speaks English to an English host", async () => {
    new Router(samples.reconnectNeeded);
    mount(<GoogleCalendarBadge />, { locale: "en" });
    expect(await screen.findByText("Google sync in error")).toBeVisible();
  });
});

describe("a host's own parts", () => {
  it("takes the host's words, pages and cards in place of its own", async () => {
    new Router(samples.connected);
    mount(
      <SettingsLayout currentPath="/billing" destinations={[{ path: "/billing", label: "Facturation" }]}>
        <IntegrationsPage>
          <IntegrationCard name="Laboratoire" description="Vos commandes" icon={null} mark={null} />
        </IntegrationsPage>
      </SettingsLayout>,
      { words: { "integrations.title": "Applications", "state.connected": "Branché" } },
    );
    expect(await screen.findByText("Branché")).toBeVisible();
    expect(screen.getByRole("heading", { level: 1, name: "Applications" })).toBeVisible();
    expect(screen.getByRole("link", { name: "Facturation" })).toHaveAttribute("aria-current", "page");
    expect(screen.queryByRole("link", { name: "Sécurité" })).toBeNull();
    expect(screen.getByRole("heading", { name: "Laboratoire" })).toBeVisible();
    expect(screen.queryByText("Doctolib")).toBeNull();
  });

  it("shows Google's mark where the host gives it, and an icon of its own otherwise", async () => {
    new Router(samples.notConnected);
    const mark = <img src="data:," alt="" data-testid="mark" />;
    const { unmount } = mount(<IntegrationsPage />, { googleMark: mark });
    expect(await screen.findAllByTestId("mark")).toHaveLength(1);
    unmount();
    const page = mount(<GoogleCalendarPage />, { googleMark: mark });
    const connect = await screen.findByRole("button", { name: "Connecter Google Calendar" });
    expect(within(connect).getByTestId("mark")).toBeVisible();
    page.unmount();
    mount(<IntegrationsPage />);
    const card = (await screen.findByRole("heading", { name: "Google Calendar" })).closest("li");
    expect(card?.querySelector("svg.cc-icon")).toBeVisible();
  });

  it("speaks a further language by the host's catalogue, with that language's plurals, dates and numbers", async () => {
    const polish: Catalogue = {
      ...en,
      "state.refused": { one: "{count} błąd", few: "{count} błędy", many: "{count} błędów", other: "{count} błędu" },
    };
    const { status } = new Router({ ...samples.someRefused, counts: { ...samples.someRefused.counts, error: 3 } });
    const { unmount } = mount(<GoogleCalendarPage />, { locale: "pl", words: polish });
    expect(await screen.findByText("3 błędy")).toBeVisible();
    expect(
      screen.getAllByText(
        / (stycznia|lutego|marca|kwietnia|maja|czerwca|lipca|sierpnia|września|października|listopada|grudnia) /,
      )[0],
    ).toBeVisible();
    unmount();
    new Router({ ...status, counts: { ...status.counts, error: 1_000_005 } });
    mount(<GoogleCalendarPage />, { locale: "pl", words: polish });
    expect(await screen.findByText(/^1\s000\s005 błędów$/)).toBeVisible();
  });
});
