/** One health for every place that tells it: from each state of the integration, alone and where two meet. */
import { act, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import * as samples from "../gallery/samples";
import { catchUpShown, healthOf, rowWord, titleWord, type CatchUpShown } from "../src/google/health";
import { createTranslate } from "../src/i18n/message";
import { GoogleCalendarBadge, GoogleCalendarPage, IntegrationsPage, SettingsOverview } from "../src";
import type { IntegrationStatusJson } from "../src/wire";
import { mount, setOnline } from "./host";
import { refuse, Router } from "./router";

const t = createTranslate("fr");
const { counts } = samples.connected;
const none = { ...counts, pending: 0, error: 0 };
const operatorsProblem = { ...samples.reconnectNeeded.problem, action: "contact_operator" } as const;
const pausedBeside = (status: IntegrationStatusJson): IntegrationStatusJson => ({ ...status, isEnabled: false });

describe.each<[string, IntegrationStatusJson, string, string, string, string | null, CatchUpShown | null]>([
  // what, the status, health, title and card, row, badge, how a catch-up beside it is shown
  ["nothing connected", samples.notConnected, "not_connected", "Non connecté", "Non connecté", null, null],
  ["a disconnect", samples.disconnecting, "disconnecting", "Déconnexion en cours", "Déconnexion en cours", null, null],
  ["at work", { ...samples.connected, counts: none }, "working", "Connecté", "OK", "Google connecté", "moving"],
  ["catching up", samples.syncing, "syncing", "Connecté", "Synchronisation en cours", "Google connecté", "moving"],
  [
    "nothing sent yet",
    samples.firstConnected,
    "unsent",
    "37 à envoyer",
    "À envoyer",
    "Google connecté · 37 à envoyer",
    "moving",
  ],
  [
    "a question about another account",
    samples.otherAccount,
    "asked",
    "Réponse attendue",
    "OK",
    "Google connecté · réponse attendue",
    "moving",
  ],
  [
    "the question beside some refused",
    { ...samples.someRefused, pendingAccount: samples.otherAccount.pendingAccount },
    "refused",
    "3 en erreur",
    "Erreur",
    "Sync Google en erreur (3)",
    null,
  ],
  [
    "the question beside a delay",
    { ...samples.throttled, pendingAccount: samples.otherAccount.pendingAccount },
    "asked",
    "Réponse attendue",
    "Retardée",
    "Google connecté · réponse attendue",
    "waiting",
  ],
  [
    "a service that lacks what Google has",
    samples.behind,
    "behind",
    "À vérifier",
    "À vérifier",
    "Google connecté · à vérifier",
    "moving",
  ],
  ["a delay", samples.throttled, "delayed", "Envoi retardé", "Retardée", "Google connecté", "waiting"],
  ["a pause", { ...samples.paused, counts: none }, "paused", "En pause", "En pause", "Google en pause", null],
  [
    "a pause with some waiting",
    samples.paused,
    "paused",
    "En pause",
    "En pause",
    "Google en pause · 3 en attente",
    null,
  ],
  [
    "a pause before the first sending",
    pausedBeside({ ...samples.firstConnected, counts: { ...none, pending: 1, unsent: 37 } }),
    "paused",
    "En pause",
    "En pause",
    "Google en pause · 38 en attente",
    null,
  ],
  ["some refused", samples.someRefused, "refused", "3 en erreur", "Erreur", "Sync Google en erreur (3)", null],
  [
    "some refused of a catch-up that goes on",
    samples.refusedWhileSyncing,
    "refused",
    "3 en erreur",
    "Erreur",
    "Sync Google en erreur (3)",
    null,
  ],
  ["a dead grant", samples.reconnectNeeded, "stopped", "En erreur", "Erreur", "Sync Google en erreur", null],
  ["a calendar gone", samples.calendarGone, "stopped", "En erreur", "Erreur", "Sync Google en erreur", null],
  [
    "a problem of the operator's",
    { ...samples.connected, problem: operatorsProblem as IntegrationStatusJson["problem"] },
    "stopped",
    "En erreur",
    "Erreur",
    "Sync Google en erreur",
    null,
  ],
  [
    "some refused beside a delay",
    { ...samples.someRefused, problem: samples.throttled.problem },
    "refused",
    "3 en erreur",
    "Erreur",
    "Sync Google en erreur (3)",
    null,
  ],
  [
    "some refused beside a pause",
    pausedBeside(samples.someRefused),
    "paused",
    "En pause",
    "En pause",
    "Google en pause · 3 en attente",
    null,
  ],
  [
    "a dead grant beside a pause",
    pausedBeside(samples.reconnectNeeded),
    "stopped",
    "En erreur",
    "Erreur",
    "Sync Google en erreur",
    null,
  ],
])("%s", (_, status, health, title, row, badge, shown) => {
  it(`is ${health} in every place`, async () => {
    expect(healthOf(status)).toBe(health);
    expect([titleWord(status, t).word, rowWord(status, t).word]).toEqual([title, row]);
    new Router(status);
    const { container } = mount(<GoogleCalendarBadge />);
    if (badge === null) {
      await waitFor(() => expect(container.querySelector(".cc-skeleton")).toBeNull());
      expect(container.textContent).toBe("");
    } else expect(await screen.findByText(badge)).toBeVisible();
    const isGreen = titleWord(status, t).tone === "success";
    expect(isGreen).toBe(health === "working" || health === "syncing");
    // The sending goes on while the question waits.
    if (health !== "asked") expect(rowWord(status, t).tone === "success").toBe(health === "working");
  });

  it(`has ${shown === null ? "no bar and no spinner" : `a bar that is ${shown}`} beside it`, async () => {
    const beside = { ...status, catchUp: status.catchUp ?? samples.syncing.catchUp };
    expect(catchUpShown(beside)).toBe(shown);
    expect(catchUpShown({ ...status, catchUp: null })).toBeNull();
    new Router(beside);
    const { container } = mount(<GoogleCalendarPage />);
    await waitFor(() => expect(container.querySelector("[aria-busy=true]")).toBeNull());
    const bars = screen.queryAllByRole("progressbar", { name: "Synchronisation en cours" });
    expect([bars.length, container.querySelectorAll(".cc-spinner").length]).toEqual([
      shown === null ? 0 : 1,
      shown === "moving" ? 1 : 0,
    ]);
  });
});

describe("some refused beside a delay", () => {
  const both = { ...samples.someRefused, problem: samples.throttled.problem };

  it("does not claim that the others are sent", async () => {
    new Router(both);
    mount(<GoogleCalendarPage />);
    expect(await screen.findByText("3 rendez-vous ne sont pas dans Google")).toBeVisible();
    expect(screen.queryByText(/Les autres partent normalement/)).toBeNull();
    expect(screen.getByText(/Les autres attendent/)).toBeVisible();
  });

  it("offers the list once, where it stands first", async () => {
    new Router(both);
    mount(<GoogleCalendarPage />);
    expect(await screen.findAllByRole("button", { name: "Voir lesquels" })).toHaveLength(1);
  });

  it("is told in the notice of another matter, and the row leads to it", async () => {
    new Router(pausedBeside(samples.someRefused));
    mount(<GoogleCalendarPage />);
    expect(await screen.findByText(/3 rendez-vous n’ont pas été acceptés par Google\.$/)).toBeVisible();
    expect(screen.getAllByRole("button", { name: /^Voir/ }).map(({ textContent }) => textContent)).toEqual([
      "Voir les 3 en erreur",
    ]);
  });

  it("asks for the one that there is in the singular", async () => {
    new Router({ ...both, counts: { ...both.counts, error: 1 } });
    mount(<GoogleCalendarPage />);
    expect(await screen.findByRole("button", { name: "Voir lequel" })).toBeVisible();
  });
});

describe("what was true before", () => {
  afterEach(() => setOnline(true));

  async function standsOpen(mayChange: boolean) {
    const router = new Router(samples.connected);
    const { container } = mount(
      <>
        <GoogleCalendarBadge />
        <GoogleCalendarPage mayChange={mayChange} />
        <IntegrationsPage />
        <SettingsOverview />
      </>,
      { withStream: true },
    );
    // The title, the row of the sending, the card, and the overview of the settings.
    const pills = () => [...container.querySelectorAll(".cc-pill")];
    const places = () =>
      [container.querySelector(".cc-badge"), ...pills()].map((place) => place?.textContent.replace(/\s/g, " "));
    await waitFor(() => expect(places()).toEqual(["Google connecté", "Connecté", "OK", "Connecté", "Connecté"]));
    await waitFor(() => expect(router.watchers).toBe(1));
    const isGreen = () => pills().some((pill) => pill.classList.contains("cc-tone-success"));
    return { router, places, isGreen };
  }

  describe.each([
    ["whoever may change it", true],
    ["whoever may only look", false],
  ])("for %s", (_, mayChange) => {
    it("is claimed nowhere while the service is away, and everywhere once it is back", async () => {
      const { router, places, isGreen } = await standsOpen(mayChange);
      router.tell("unavailable", { reason: "SERVICE_UNAVAILABLE", message: "" });
      const unknown = Array<string>(4).fill("Indisponible");
      await waitFor(() => expect(places()).toEqual(["Google : état inconnu", ...unknown]));
      expect(isGreen()).toBe(false);
      router.become(samples.connected);
      await waitFor(() => expect(places()).toEqual(["Google connecté", "Connecté", "OK", "Connecté", "Connecté"]));
    });

    it("is claimed nowhere without a network", async () => {
      const { places, isGreen } = await standsOpen(mayChange);
      act(() => setOnline(false));
      await waitFor(() => expect(places()).toEqual(["Google : hors ligne", ...Array<string>(4).fill("Hors ligne")]));
      expect(isGreen()).toBe(false);
    });
  });
});

it("the overview of the settings says that it does not know, rather than nothing", async () => {
  new Router(samples.connected);
  refuse("get", "status", 503, "SERVICE_UNAVAILABLE");
  mount(<SettingsOverview />);
  expect(await screen.findByText("Indisponible")).toBeVisible();
});
