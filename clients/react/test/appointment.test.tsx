/** How single appointments stand, in the host's own form and grid. */
import { act, screen, waitFor, within } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import * as samples from "../gallery/samples";
import { AppointmentSyncStatus } from "../src";
import type { AppointmentLinkJson } from "../src/wire";
import { mount, setOnline } from "./host";
import { refuse, Router } from "./router";

const [refused] = samples.linksInError as [AppointmentLinkJson];
const link = (appointmentId: string, changes: Partial<AppointmentLinkJson>): AppointmentLinkJson => ({
  ...refused,
  appointmentId,
  lastError: null,
  ...changes,
});
const links = [
  link("synced", {
    syncStatus: "synced",
    lastSyncTime: new Date().toISOString(),
    externalEventId: "e",
    htmlLink: "https://calendar.example/e",
  }),
  link("pending", { syncStatus: "pending" }),
  link("refused", { syncStatus: "error" }),
];
const page = (
  <>
    {["synced", "pending", "refused", "unknown"].map((id) => (
      <p key={id} data-testid={id}>
        <AppointmentSyncStatus id={id} />
      </p>
    ))}
  </>
);
const of = (id: string) => within(screen.getByTestId(id));

it("says how each stands, asks for all of them at once, and again when the stream tells of a change", async () => {
  const router = new Router(samples.someRefused);
  router.links = { links, nextPageToken: null };
  const { user } = mount(page, { withStream: true });
  expect(await of("synced").findByText(/^Dans Google depuis \d\d?\sh\s\d\d$/)).toBeVisible();
  expect(of("synced").getByRole("link", { name: /^Ouvrir dans Google/ })).toHaveAttribute("target", "_blank");
  expect(of("pending").getByText("En attente")).toBeVisible();
  expect(of("refused").getByText("Refusé")).toBeVisible();
  expect(screen.getByTestId("unknown")).toBeEmptyDOMElement();
  expect(router.to("links").map(({ body }) => body)).toEqual([
    { appointmentIds: ["synced", "pending", "refused", "unknown"] },
  ]);

  await user.click(of("refused").getByRole("button", { name: "Réessayer" }));
  await waitFor(() => expect(router.to("retry").map(({ body }) => body)).toEqual([{ appointmentIds: ["refused"] }]));

  await waitFor(() => expect(router.watchers).toBe(1));
  router.links = { links: [link("pending", { syncStatus: "synced", externalEventId: "e" })], nextPageToken: null };
  router.become({ ...samples.connected, counts: { ...samples.connected.counts, synced: 1249 } });
  expect(await of("pending").findByText("Dans Google")).toBeVisible();
});

describe("what was true before", () => {
  afterEach(() => setOnline(true));
  const fresh = /^Dans Google depuis \d\d?\sh\s\d\d$/;
  const stale = /^Dans Google depuis \d\d?\sh\s\d\d \(dernier état connu\)$/;

  async function shown(isCompact: boolean) {
    const router = new Router(samples.connected);
    router.links = { links, nextPageToken: null };
    const { container } = mount(<AppointmentSyncStatus id="synced" isCompact={isCompact} />, { withStream: true });
    expect(await screen.findByText(fresh)).toBeInTheDocument();
    await waitFor(() => expect(router.watchers).toBe(1));
    const isGreen = () => container.querySelector(".cc-tone-success") !== null;
    const dot = () => container.querySelector(".cc-appointment-dot");
    expect(isGreen()).toBe(true);
    expect(dot()).toHaveAttribute("title", expect.stringMatching(fresh));
    return { router, isGreen, dot };
  }

  it.each([true, false])(
    "is told as the last that was known while the service is away (compact: %s)",
    async (compact) => {
      const { router, isGreen, dot } = await shown(compact);
      router.tell("unavailable", { reason: "SERVICE_UNAVAILABLE", message: "" });
      expect(await screen.findByText(stale)).toBeInTheDocument();
      expect(isGreen()).toBe(false);
      expect(dot()).toHaveAttribute("title", expect.stringMatching(stale));
      router.become(samples.connected);
      expect(await screen.findByText(fresh)).toBeInTheDocument();
      expect(isGreen()).toBe(true);
    },
  );

  it("and where the appointment itself cannot be asked for again", async () => {
    const { router, isGreen } = await shown(false);
    refuse("post", "links", 503, "SERVICE_UNAVAILABLE");
    router.become({ ...samples.connected, counts: { ...samples.connected.counts, pending: 9 } });
    expect(await screen.findByText(stale)).toBeInTheDocument();
    expect(isGreen()).toBe(false);
  });

  it("and without a network", async () => {
    const { isGreen } = await shown(true);
    act(() => setOnline(false));
    expect(await screen.findByText(stale)).toBeInTheDocument();
    expect(isGreen()).toBe(false);
  });
});

it("says nothing, and asks nothing, where nothing is connected", async () => {
  const router = new Router(samples.notConnected);
  mount(page);
  await waitFor(() => expect(router.to("status")).toHaveLength(1));
  expect(screen.getByTestId("synced")).toBeEmptyDOMElement();
  expect(router.to("links")).toHaveLength(0);
});

it.each(["synced", "none"] as const)(
  "claims no event that is not there, and none away that is (%s)",
  async (status) => {
    const router = new Router(samples.connected);
    const lastSyncTime = new Date().toISOString();
    router.links = {
      links: [
        link("called-off", { syncStatus: status, lastSyncTime }),
        link("there", {
          syncStatus: status,
          lastSyncTime,
          externalEventId: "e",
          htmlLink: "https://calendar.example/e",
        }),
      ],
      nextPageToken: null,
    };
    const { container } = mount(
      <>
        <AppointmentSyncStatus id="called-off" />
        <AppointmentSyncStatus id="there" />
      </>,
    );
    expect(await screen.findByText("Pas dans Google")).toBeVisible();
    expect(screen.getByText(status === "synced" ? /^Dans Google depuis/ : "Dans Google, pas à jour")).toBeVisible();
    expect(container.querySelectorAll(".cc-tone-success")).toHaveLength(status === "synced" ? 1 : 0);
  },
);
