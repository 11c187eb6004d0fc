import { screen, waitFor } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { afterEach, describe, expect, it } from "vitest";
import * as samples from "../gallery/samples";
import { createCalendarClient, GoogleCalendarBadge, GoogleCalendarPage, RequestFailure } from "../src";
import { mount, setOnline } from "./host";
import { BASE, cut, refuse, Router, server } from "./router";

describe("the client", () => {
  afterEach(() => setOnline(true));

  it("speaks JSON in the language of the host, to the base path that the host chose", async () => {
    const seen: Request[] = [];
    server.use(
      http.post("http://localhost:3000/cal/sync-now", ({ request }) => {
        seen.push(request.clone() as Request);
        return HttpResponse.json({ queuedCount: 0, status: samples.connected });
      }),
    );
    await createCalendarClient({ basePath: "/cal/", locale: "en", openEvents: null }).syncNow();
    expect(seen[0]?.headers.get("content-type")).toBe("application/json");
    expect(seen[0]?.headers.get("accept-language")).toBe("en");
    expect(seen[0]?.credentials).toBe("same-origin");
    expect(await seen[0]?.json()).toEqual({});
  });

  it.each([
    [503, "unavailable"],
    [504, "unavailable"],
    [401, "signed_out"],
    [403, "forbidden"],
    [409, "refused"],
  ] as const)("tells an answer %i as %s, with the router's reason", async (status, kind) => {
    refuse("get", "status", status, "SOME_REASON");
    const failure = await createCalendarClient()
      .status()
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(RequestFailure);
    expect(failure).toMatchObject({ kind, reason: "SOME_REASON" });
  });

  it("tells a proxy's page as a failure without a reason", async () => {
    server.use(http.get(`${BASE}/status`, () => HttpResponse.html("<h1>Bad gateway</h1>", { status: 502 })));
    await expect(createCalendarClient().status()).rejects.toMatchObject({ kind: "unavailable", reason: null });
  });

  it("tells a lost network apart from a host that is away", async () => {
    cut("get", "status");
    await expect(createCalendarClient().status()).rejects.toMatchObject({ kind: "unavailable" });
    setOnline(false);
    await expect(createCalendarClient().status()).rejects.toMatchObject({ kind: "offline" });
  });

  it("does not follow a consent address that is no web address", async () => {
    new Router(samples.notConnected);
    server.use(
      http.post(`${BASE}/begin-connect`, () =>
        HttpResponse.json({ connectUrl: "javascript:alert(1)", expireTime: null }),
      ),
    );
    let left = false;
    const { user } = mount(<GoogleCalendarPage />, { redirect: () => (left = true) });
    await user.click(await screen.findByRole("button", { name: "Connecter Google Calendar" }));
    expect(await screen.findByText("L’opération n’a pas abouti. Réessayez dans un instant.")).toBeInTheDocument();
    expect(left).toBe(false);
  });

  it("writes no storage and no cookie", async () => {
    const router = new Router(samples.connected);
    const { user } = mount(<GoogleCalendarPage />, { withStream: true });
    await user.click(await screen.findByRole("button", { name: "Synchroniser maintenant" }));
    await waitFor(() => expect(router.to("sync-now")).toHaveLength(1));
    expect([localStorage.length, sessionStorage.length, document.cookie]).toEqual([0, 0, ""]);
  });
});

describe("the status stream", () => {
  afterEach(() => setHidden(false));

  it("is one for all components on the page, and closes with the last of them", async () => {
    const router = new Router(samples.connected);
    const { unmount } = mount(
      <>
        <GoogleCalendarBadge />
        <GoogleCalendarPage />
      </>,
      { withStream: true },
    );
    await waitFor(() => expect(router.watchers).toBe(1));
    await screen.findByText("OK");
    expect(router.watchers).toBe(1);
    unmount();
    await waitFor(() => expect(router.watchers).toBe(0));
  });

  it("is not held by a tab that nobody sees", async () => {
    const router = new Router(samples.connected);
    mount(<GoogleCalendarBadge />, { withStream: true });
    await waitFor(() => expect(router.watchers).toBe(1));
    setHidden(true);
    await waitFor(() => expect(router.watchers).toBe(0));
    setHidden(false);
    await waitFor(() => expect(router.watchers).toBe(1));
  });

  it("is replaced by polling where it cannot be had", async () => {
    const router = new Router(samples.syncing);
    server.use(http.get(`${BASE}/events`, () => new HttpResponse(null, { status: 404 })));
    mount(<GoogleCalendarPage />, { withStream: true });
    await screen.findByRole("progressbar", { name: "Synchronisation en cours" });
    router.status = samples.connected;
    await waitFor(() => expect(screen.queryByRole("progressbar")).toBeNull(), { timeout: 10_000 });
    expect(router.to("status").length).toBeGreaterThan(1);
  });
});

function setHidden(isHidden: boolean): void {
  Object.defineProperty(document, "visibilityState", { value: isHidden ? "hidden" : "visible", configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}
