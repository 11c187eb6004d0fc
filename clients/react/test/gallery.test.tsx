/** Every state of the gallery renders, in every view, without an error. */
import { QueryClient } from "@tanstack/react-query";
import { render, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { scenarios } from "../gallery/scenarios";
import { View } from "../gallery/views";
import { fr } from "../src/i18n/fr";
import { setOnline } from "./host";

const faults = vi.fn();
beforeEach(() => {
  faults.mockReset();
  vi.spyOn(console, "error").mockImplementation(faults);
});
afterEach(() => setOnline(true));

async function look(view: string, state: string, title: string): Promise<void> {
  const scenario = scenarios[state];
  const queryClient = new QueryClient();
  if (scenario?.outcome !== undefined) window.history.replaceState(null, "", `?google=${scenario.outcome}`);
  const shown = render(<View view={view} state={state} locale="fr" queryClient={queryClient} />);
  expect(await screen.findByRole("heading", { level: 1, name: title })).toBeVisible();
  if (!scenario?.silent) await waitFor(() => expect(queryClient.isFetching()).toBe(0));
  if (scenario?.isOffline) setOnline(false);
  expect(screen.queryByText(fr["defect.title"])).toBeNull();
  expect(shown.container.textContent).not.toMatch(/undefined|NaN|\[object|\{\w+\}/);
  expect(faults.mock.calls).toEqual([]);
  shown.unmount();
}

it.each(Object.keys(scenarios))("%s", async (state) => {
  await look("google", state, "Google Calendar");
  await look("integrations", state, "Intégrations");
  await look("overview", state, "Paramètres");
  await look("looking", state, "Google Calendar");
});

it("the badge and single appointments", async () => {
  for (const state of ["connected", "offline"]) await look("badge", state, "Badge");
  await look("appointment", "connected", "Rendez-vous");
});
