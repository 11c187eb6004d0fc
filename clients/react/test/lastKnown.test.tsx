/** What stands on the pages while nobody can be asked is told as known last: every place, in every way of not knowing. */
import { act, screen, waitFor, within } from "@testing-library/react";
import type { ReactElement } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import * as samples from "../gallery/samples";
import {
  AppointmentSyncStatus,
  GoogleCalendarBadge,
  GoogleCalendarPage,
  IntegrationsPage,
  SettingsOverview,
} from "../src";
import type { IntegrationStatusJson } from "../src/wire";
import { mount, setOnline } from "./host";
import { cut, refuse, Router } from "./router";

const AT = new Date(2027, 2, 9, 14, 12);

beforeEach(() => vi.useFakeTimers({ shouldAdvanceTime: true, now: AT }));
afterEach(() => {
  vi.useRealTimers();
  setOnline(true);
});

/** Until the next question is asked, and left without an answer. */
const untilAsked = () => act(() => vi.advanceTimersByTimeAsync(16_000));

const LOST: readonly (readonly [string, () => unknown])[] = [
  ["the service is away for 15 s", () => (cut("get", "status"), untilAsked())],
  ["the browser is offline", () => act(() => setOnline(false))],
  ["the answer is an error of the host", () => (refuse("get", "status", 500, "INTERNAL"), untilAsked())],
  ["the answer is a refusal", () => (refuse("get", "status", 404, "NOT_FOUND"), untilAsked())],
];

/** What is no longer this reader's, or not this page's: nothing of it stands. */
const ENDED: typeof LOST = [
  ["the session has ended", () => (refuse("get", "status", 401, "NOT_SIGNED_IN"), untilAsked())],
  ["the right has gone", () => (refuse("get", "status", 403, "FORBIDDEN"), untilAsked())],
];

const sent = samples.linksInError.slice(0, 1).map((link) => ({
  ...link,
  appointmentId: "rdv-1",
  syncStatus: "synced" as const,
  lastError: null,
  externalEventId: "e1",
}));

const everywhere: ReactElement = (
  <>
    <GoogleCalendarBadge />
    <AppointmentSyncStatus id="rdv-1" />
    <GoogleCalendarPage mayErase />
    <GoogleCalendarPage mayChange={false} />
    <IntegrationsPage />
    <SettingsOverview />
  </>
);

const STATES: readonly (readonly [string, IntegrationStatusJson])[] = [
  ["connected", samples.connected],
  ["some refused", samples.someRefused],
  ["catching up", samples.syncing],
  ["throttled", samples.throttled],
  ["disconnecting", samples.disconnecting],
  ["paused", samples.paused],
  ["not connected", samples.notConnected],
];

const KNOWN =
  /dernier état connu|dernières connues|état inconnu|datent d’avant la coupure|Hors ligne|hors ligne|Indisponible/i;

/** Words that claim the present, wherever they stand. */
const CLAIMS = [
  /^Aucun rendez-vous à traiter$/,
  /^(Connecté|OK|Synchronisation en cours|En pause|Retardée|Envoi retardé)$/,
  /^Google connecté/,
  /^Dans Google( depuis [^(]*)?$/,
  /^Reprise prévue/,
  /seront envoyés à son retour/,
];

function claims(container: HTMLElement): string[] {
  const all = [...container.querySelectorAll<HTMLElement>("p, span, dd, a, h3")].filter(
    (each) => each.closest("[aria-hidden=true]") === null,
  );
  const words = all.map((each) => each.textContent.replace(/\s/g, " ").trim());
  return [...new Set(words)].filter((each) => CLAIMS.some((claim) => claim.test(each)));
}

async function stands(status: IntegrationStatusJson, place: ReactElement) {
  const router = new Router(status);
  router.links = { links: [...sent, ...samples.linksInError.slice(0, status.counts.error)], nextPageToken: null };
  const view = mount(place);
  await waitFor(() => expect(view.container.querySelector(".cc-skeleton, [aria-busy=true]")).toBeNull());
  await waitFor(() => expect(router.to("status").length).toBeGreaterThan(0));
  return { router, ...view };
}

describe.each(LOST)("while %s", (_, lose) => {
  it.each(STATES)("nothing is claimed of now: %s", async (__, status) => {
    const { container } = await stands(status, everywhere);
    await lose();
    await waitFor(() => expect(claims(container)).toEqual([]), { timeout: 2_000 });
    expect(container.textContent).not.toMatch(/seront envoyés à son retour|continue sans vous/);
    expect(container.querySelector(".cc-tone-success, .cc-badge-dot, [role=progressbar], .cc-spinner")).toBeNull();
    for (const place of container.querySelectorAll(".cc-page, .cc-badge, .cc-appointment"))
      expect(place.textContent.replace(/\s/g, " ")).toMatch(KNOWN);
  });

  it("every section that tells of the service says when that was known", async () => {
    for (const status of [samples.connected, samples.someRefused, samples.notConnected]) {
      const { unmount } = await stands(status, <GoogleCalendarPage mayErase />);
      await lose();
      const names = status === samples.notConnected ? ["Connexion", "Aperçu"] : ["Connexion", "Options", "À traiter"];
      for (const name of names) {
        const section = within(screen.getByRole("region", { name }));
        expect(await section.findByText(/^Dernier état connu : 14\sh\s12$/)).toBeVisible();
      }
      unmount();
      setOnline(true);
    }
  });

  it("« À traiter » says that nothing was to be done then", async () => {
    await stands(samples.connected, <GoogleCalendarPage />);
    await lose();
    const toDo = within(screen.getByRole("region", { name: "À traiter" }));
    expect(await toDo.findByText("Rien n’était alors à traiter")).toBeVisible();
  });
});

/** Windows that tell of the service: by what they are opened, and as what they stand. */
const WINDOWS = [
  ["button", "Déconnecter", "alertdialog"],
  ["button", "Changer de calendrier", "dialog"],
  ["button", "Effacer les données", "alertdialog"],
  ["radio", "Nom complet", "alertdialog"],
] as const;

describe.each(WINDOWS)("the window behind the %s « %s »", (role, name, kind) => {
  const open = async () => {
    const mounted = await stands({ ...samples.connected, titlePrivacy: "masked" }, <GoogleCalendarPage mayErase />);
    await mounted.user.click(screen.getByRole(role, { name }));
    return { ...mounted, shown: within(await screen.findByRole(kind)) };
  };

  it.each(LOST)("says of when it is, while %s", async (_, lose) => {
    const { shown } = await open();
    expect(shown.queryByText(/connu/)).toBeNull();
    await lose();
    expect(await shown.findByText(/^Dernier état connu : 14\sh\s12$/)).toBeVisible();
  });

  it.each(ENDED)("is gone once %s", async (_, end) => {
    await open();
    await end();
    await waitFor(() => expect(screen.queryByRole(kind)).toBeNull());
    await waitFor(() => expect(screen.getByRole("heading", { level: 1 })).toHaveFocus());
  });
});

describe.each([
  ["Choisir la confidentialité", samples.firstConnected],
  ["Répondre", samples.otherAccount],
])("the window behind « %s », which stands in the notice", (name, status) => {
  it.each([...LOST, ...ENDED])("is gone while %s", async (_, lose) => {
    const { user } = await stands(status, <GoogleCalendarPage />);
    await user.click(screen.getByRole("button", { name: new RegExp(`^${name}`) }));
    await screen.findByRole("dialog");
    await lose();
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    await waitFor(() => expect(document.body).not.toHaveFocus());
  });
});

describe.each(ENDED)("once %s", (_, end) => {
  it("nothing of the practice stands", async () => {
    const { container } = await stands(samples.someRefused, everywhere);
    await end();
    await waitFor(() => expect(claims(container)).toEqual([]), { timeout: 2_000 });
    const words = container.textContent.replace(/\s/g, " ");
    for (const known of [/en erreur/, /Dernière synchronisation/, /cabinet-des-lilas|lilas@/, /^Dans Google/])
      expect(words).not.toMatch(known);
    expect(container.querySelector(".cc-tone-success, .cc-tone-danger, .cc-badge-dot")).toBeNull();
  });
});

describe.each<[string, () => void]>([
  ["the service is away", () => cut("get", "status")],
  ["the answer is an error", () => refuse("get", "status", 500, "INTERNAL")],
  ["the browser is offline", () => setOnline(false)],
])("before anything was answered, while %s", (_, lose) => {
  it("nothing is claimed, of now or of before", async () => {
    new Router(samples.connected);
    lose();
    if (!navigator.onLine) cut("get", "status");
    const { container } = mount(everywhere);
    await untilAsked();
    expect(claims(container)).toEqual([]);
    expect(container.textContent).not.toMatch(/connues?\b(?! pour)|datent d’avant/);
  });
});

it("what was known last is told by its day too, once that is another", async () => {
  await stands(samples.connected, <GoogleCalendarPage />);
  cut("get", "status");
  act(() => setOnline(false));
  vi.setSystemTime(new Date(2027, 2, 10, 9, 0));
  await untilAsked();
  expect((await screen.findAllByText(/^Dernier état connu : 9 mars à 14\sh\s12$/)).length).toBeGreaterThan(1);
});

it("a stream that goes on vouches for the status, however long nothing changes", async () => {
  const router = new Router(samples.connected);
  mount(<GoogleCalendarPage />, { withStream: true });
  await waitFor(() => expect(router.watchers).toBe(1));
  await screen.findByText("Aucun rendez-vous à traiter");
  await act(() => vi.advanceTimersByTimeAsync(600_000));
  router.tell("alive", { nextMs: 300_000 });
  await act(() => vi.advanceTimersByTimeAsync(1_000));
  cut("get", "status");
  router.tell("unavailable", { reason: "SERVICE_UNAVAILABLE", message: "" });
  // And no sign of life says anything of the status while the service is away.
  await act(() => vi.advanceTimersByTimeAsync(200_000));
  router.tell("alive", { nextMs: 300_000 });
  expect((await screen.findAllByText(/^Dernier état connu : 14\sh\s22$/)).length).toBeGreaterThan(1);
});

it("English says the same", async () => {
  new Router(samples.connected);
  mount(<GoogleCalendarPage />, { locale: "en" });
  await screen.findByText("No appointment needs attention");
  act(() => setOnline(false));
  expect((await screen.findAllByText("Last known state: 14:12")).length).toBeGreaterThan(1);
  expect(screen.queryByText("No appointment needs attention")).toBeNull();
  expect(screen.getByText("Nothing needed attention then")).toBeVisible();
});

it("a journal that is open says of when it is", async () => {
  const { user } = await stands(samples.connected, <GoogleCalendarPage />);
  await user.click(screen.getByText("Afficher les 50 dernières actions"));
  const journal = within(screen.getByRole("region", { name: "Journal" }));
  await journal.findByRole("list");
  expect(journal.queryByText(/connu/)).toBeNull();
  act(() => setOnline(false));
  expect(await journal.findByText(/^Dernier état connu : 14\sh\s12$/)).toBeVisible();
});
