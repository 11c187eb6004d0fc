/** What a page does when its reader's session ends, when somebody else answers, and when it breaks. */
import { act, screen, waitFor } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { afterEach, describe, expect, it, vi } from "vitest";
import * as samples from "../gallery/samples";
import { createCalendarClient, GoogleCalendarBadge, GoogleCalendarPage, IntegrationsPage } from "../src";
import { fr } from "../src/i18n/fr";
import { returnPathOf } from "../src/host/returnPath";
import { mount } from "./host";
import { BASE, refuse, Router, server, silence } from "./router";

const PAGE = "/settings/integrations/google-calendar";

function answerWith(route: string, answer: () => Response) {
  server.use(http.all(`${BASE}/${route}`, answer));
}

describe("an answer of 200 that is not the router's", () => {
  it.each([
    ["the host's own page", () => HttpResponse.html("<!doctype html><title>Cassius</title>")],
    ["JSON of somebody else", () => HttpResponse.json({ ok: true })],
    ["JSON of somebody else under the same name", () => HttpResponse.json({ status: "ok" })],
    ["JSON with nothing under it", () => HttpResponse.json({ status: null })],
    ["JSON that is cut off", () => new HttpResponse("{", { headers: { "content-type": "application/json" } })],
    ["nothing", () => new HttpResponse(null, { status: 204 })],
  ])("is told on the page, which holds no place for what never comes: %s", async (_, answer) => {
    new Router(samples.connected);
    answerWith("status", answer);
    mount(<GoogleCalendarPage />);
    expect(await screen.findByText("La réponse reçue n’est pas celle attendue")).toBeVisible();
    expect(screen.getByRole("button", { name: "Recharger la page" })).toBeVisible();
    expect(document.querySelector(".cc-skeleton")).toBeNull();
  });

  it.each([
    ["preview", "preview.failed"],
    ["links", "errors.failed"],
    ["journal", "journal.failed"],
  ] as const)("is told in the section that asked for it: %s", async (route, words) => {
    new Router(samples.someRefused);
    answerWith(route, () => HttpResponse.json({ event: null, links: null, entries: null }));
    const { user } = mount(<GoogleCalendarPage />);
    await user.click(await screen.findByText("Afficher les 50 dernières actions"));
    expect(await screen.findByText(fr[words])).toBeVisible();
    await waitFor(() => expect(document.querySelector(".cc-skeleton")).toBeNull());
    expect(screen.queryByText(fr["defect.title"])).toBeNull();
  });

  it("takes no action for done", async () => {
    const router = new Router(samples.connected);
    const { user } = mount(<GoogleCalendarPage />);
    answerWith("sync-now", () => HttpResponse.html("<!doctype html>"));
    await user.click(await screen.findByRole("button", { name: "Synchroniser maintenant" }));
    expect(await screen.findByText("La réponse reçue n’est pas celle attendue")).toBeVisible();
    expect(router.to("sync-now")).toHaveLength(0);
  });
});

describe("a session that ends while the page is open", () => {
  afterEach(() => vi.useRealTimers());

  it("is told, leaves nothing green, and ends the asking until the page has focus again", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    const router = new Router(samples.connected);
    mount(
      <>
        <GoogleCalendarBadge />
        <GoogleCalendarPage />
      </>,
    );
    expect(await screen.findByText("Connecté")).toBeVisible();
    let asked = 0;
    answerWith("status", () => {
      asked += 1;
      return HttpResponse.json({ reason: "NOT_SIGNED_IN", message: "" }, { status: 401 });
    });
    await act(() => vi.advanceTimersByTimeAsync(16_000));
    expect(await screen.findByText("Votre session a expiré")).toBeVisible();
    expect(screen.queryByText("Connecté")).toBeNull();
    expect(screen.queryByText("Google connecté")).toBeNull();
    expect(screen.queryByText(samples.connected.googleEmail ?? "")).toBeNull();
    const before = asked;
    await act(() => vi.advanceTimersByTimeAsync(120_000));
    expect(asked).toBe(before);

    server.use(http.get(`${BASE}/status`, () => HttpResponse.json({ status: router.status })));
    window.dispatchEvent(new Event("visibilitychange"));
    expect(await screen.findByText("Connecté")).toBeVisible();
  });

  it("is noticed at once when the stream is refused, and the stream is not opened again", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    new Router(samples.connected);
    refuse("get", "status", 401, "NOT_SIGNED_IN");
    let opened = 0;
    server.use(
      http.get(`${BASE}/events`, () => {
        opened += 1;
        return HttpResponse.json({ reason: "NOT_SIGNED_IN", message: "" }, { status: 401 });
      }),
    );
    mount(<IntegrationsPage />, { withStream: true });
    expect(await screen.findByText("Session expirée")).toBeVisible();
    const before = opened;
    await act(() => vi.advanceTimersByTimeAsync(120_000));
    expect(opened).toBe(before);
  });
});

it("a session that has ended is noticed when the stream is refused, and not by the next poll alone", async () => {
  const router = new Router(samples.connected);
  mount(<IntegrationsPage />, { withStream: true });
  expect(await screen.findByText("Connecté")).toBeVisible();
  await waitFor(() => expect(router.watchers).toBe(1));
  for (const route of ["status", "events"]) refuse("get", route, 401, "NOT_SIGNED_IN");
  router.hangUp();
  // The next poll would be after 15 s.
  expect(await screen.findByText("Session expirée", {}, { timeout: 8_000 })).toBeVisible();
});

/** The page and the badge, with a stream that is open. */
async function standsOpen() {
  const router = new Router(samples.connected);
  const view = mount(
    <>
      <GoogleCalendarBadge />
      <GoogleCalendarPage />
    </>,
    { withStream: true },
  );
  expect(await screen.findByText("Connecté")).toBeVisible();
  await waitFor(() => expect(router.watchers).toBe(1));
  return { router, ...view };
}

function isGreen(): boolean {
  return document.querySelector(".cc-tone-success, .cc-badge-dot") !== null;
}

describe("a page that stands open, and whose session has ended", () => {
  it.each([
    ["an action", "post", "sync-now", "Comparer avec Google"],
    ["a setting", "patch", "settings", "Synchroniser les RDV Cassius vers Google"],
  ] as const)("is told so by the answer to %s, and leaves nothing green", async (_, method, route, label) => {
    const { user } = await standsOpen();
    expect(isGreen()).toBe(true);
    for (const each of ["status", "events"]) refuse("get", each, 401, "NOT_SIGNED_IN");
    refuse(method, route, 401, "NOT_SIGNED_IN");
    await user.click(screen.getByText(label));
    expect(await screen.findByText("Session expirée")).toBeVisible();
    expect(isGreen()).toBe(false);
  });
});

describe("a page that stands open before something else than the router", () => {
  it.each([
    ["a sign-in page", () => HttpResponse.html("<!doctype html>"), "La réponse reçue n’est pas celle attendue"],
    ["who may not see it any more", () => refusal(403), "Vous n’avez pas accès à cette page"],
    ["a router that is not there", () => refusal(404), "Le service de synchronisation ne répond pas"],
  ])("claims nothing: %s", async (_, answer, words) => {
    const { router } = await standsOpen();
    for (const route of ["status", "events"]) answerWith(route, answer);
    router.hangUp();
    expect(await screen.findByText(words)).toBeVisible();
    expect(isGreen()).toBe(false);
  });
});

function refusal(status: number) {
  return HttpResponse.json({ reason: "", message: "" }, { status });
}

describe("a host that gives no sign of life", () => {
  afterEach(() => vi.useRealTimers());

  it("is told within 15 s, however open its stream is", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    const { router } = await standsOpen();
    router.tell("alive", { nextMs: 5_000 });
    await act(() => vi.advanceTimersByTimeAsync(8_000));
    router.tell("alive", { nextMs: 5_000 });
    await act(() => vi.advanceTimersByTimeAsync(8_000));
    expect(isGreen()).toBe(true);

    for (const route of ["status", "events"]) silence("get", route);
    await act(() => vi.advanceTimersByTimeAsync(15_000));
    expect(screen.getByText("Le service de synchronisation ne répond pas")).toBeVisible();
    expect(isGreen()).toBe(false);
  });

  it("is told within 15 s where the page polls", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    new Router(samples.connected);
    mount(<GoogleCalendarPage />);
    expect(await screen.findByText("Connecté")).toBeVisible();
    silence("get", "status");
    await act(() => vi.advanceTimersByTimeAsync(15_000));
    expect(screen.getByText("Le service de synchronisation ne répond pas")).toBeVisible();
    expect(isGreen()).toBe(false);
  });
});

describe("a router that has too much under way", () => {
  afterEach(() => vi.useRealTimers());

  it("is not told as a service that is away, and is asked again by itself", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    const router = new Router(samples.connected);
    mount(<GoogleCalendarPage />);
    expect(await screen.findByText("Connecté")).toBeVisible();
    refuse("get", "status", 503, "OVERLOADED");
    await act(() => vi.advanceTimersByTimeAsync(12_000));
    expect(screen.getByText("Trop de demandes sont en cours")).toBeVisible();
    expect(screen.queryByText("Le service de synchronisation ne répond pas")).toBeNull();
    expect(isGreen()).toBe(false);
    server.use(http.get(`${BASE}/status`, () => HttpResponse.json({ status: router.status })));
    await act(() => vi.advanceTimersByTimeAsync(12_000));
    expect(isGreen()).toBe(true);
  });

  it("is told so where nothing was ever answered", async () => {
    new Router(samples.connected);
    refuse("get", "status", 503, "OVERLOADED");
    mount(<GoogleCalendarPage />);
    expect(await screen.findByRole("alert")).toHaveTextContent("Trop de demandes sont en cours");
  });
});

describe("« Connecter »", () => {
  it("leaves the page only while the page is there", async () => {
    new Router(samples.notConnected);
    let answered = false;
    let leave: () => void = () => undefined;
    const left = new Promise<void>((resolve) => (leave = resolve));
    server.use(
      http.post(`${BASE}/begin-connect`, async () => {
        await left;
        answered = true;
        return HttpResponse.json({ connectUrl: "https://cassius.example.com/connect", expireTime: null });
      }),
    );
    const redirect = vi.fn();
    const { user, unmount } = mount(<GoogleCalendarPage />, { redirect });
    await user.click(await screen.findByRole("button", { name: "Connecter Google Calendar" }));
    unmount();
    leave();
    await waitFor(() => expect(answered).toBe(true));
    await new Promise((turn) => setTimeout(turn, 50));
    expect(redirect).not.toHaveBeenCalled();
  });

  it("comes back to the same address, its query and its fragment too", async () => {
    window.history.replaceState(null, "", `${PAGE}?tab=google&google=denied#options`);
    const router = new Router(samples.notConnected);
    const { user } = mount(<GoogleCalendarPage />, { redirect: () => undefined });
    await user.click(await screen.findByRole("button", { name: "Connecter Google Calendar" }));
    await waitFor(() => expect(router.to("begin-connect")).toHaveLength(1));
    const { returnPath } = router.to("begin-connect")[0]?.body as { returnPath: string };
    expect(returnPath).not.toContain("#");

    window.history.replaceState(null, "", `${returnPath}&google=connected`);
    mount(<GoogleCalendarPage />);
    await waitFor(() => expect(window.location.href).toContain(`${PAGE}?tab=google#options`));
  });

  it("names the plain path where the address is plain", () => {
    expect(returnPathOf({ pathname: PAGE, search: "", hash: "" })).toBe(PAGE);
  });
});

it("the list of errors follows them though their count stays, and asks at most once a second", async () => {
  const router = new Router(samples.someRefused);
  mount(<GoogleCalendarPage />, { withStream: true });
  await screen.findByRole("list", { name: "Rendez-vous en erreur" });
  const before = router.to("links").length;
  const startedAt = performance.now();
  const { counts } = samples.someRefused;
  // One of the errors was mended, and another appointment refused: ten times within a moment.
  for (let turn = 1; turn <= 10; turn += 1) {
    router.become({ ...samples.someRefused, counts: { ...counts, synced: counts.synced + turn } });
    await new Promise((next) => setTimeout(next, 20));
  }
  await waitFor(() => expect(router.to("links").length).toBeGreaterThan(before));
  await new Promise((next) => setTimeout(next, 1_500));
  // However long that has taken.
  const seconds = Math.floor((performance.now() - startedAt) / 1_000);
  expect(router.to("links").length - before).toBeLessThanOrEqual(seconds + 1);
});

it("a defect of a page is told in its place, and the page can be tried again", async () => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  new Router(samples.connected);
  const client = createCalendarClient({ openEvents: null });
  const broken = { ...samples.connected, counts: undefined } as unknown as typeof samples.connected;
  vi.spyOn(client, "status").mockResolvedValueOnce(broken).mockResolvedValue(samples.connected);
  const { user } = mount(
    <>
      <p>the host</p>
      <GoogleCalendarPage />
    </>,
    { client },
  );
  expect(await screen.findByText("Cette page a rencontré un problème")).toBeVisible();
  expect(screen.getByText("the host")).toBeVisible();
  await waitFor(async () => {
    await user.click(screen.getByRole("button", { name: "Réessayer" }));
    expect(screen.getByText("Connecté")).toBeVisible();
  });
});
