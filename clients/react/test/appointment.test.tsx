/** How single appointments stand, in the host's own form and grid. */
import { screen, waitFor, within } from "@testing-library/react";
import { expect, it } from "vitest";
import * as samples from "../gallery/samples";
import { AppointmentSyncStatus } from "../src";
import type { AppointmentLinkJson } from "../src/wire";
import { mount } from "./host";
import { Router } from "./router";

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
