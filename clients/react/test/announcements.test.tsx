/** Results that come at once: each is read and seen in its turn. */
import { act, render, screen, waitFor } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import * as samples from "../gallery/samples";
import { CalendarProvider, createCalendarClient, GoogleCalendarPage } from "../src";
import { Announcements, useAnnounce, type Announce } from "../src/ui/Announcements";
import { mount } from "./host";
import { Router } from "./router";

afterEach(() => vi.useRealTimers());

it("none takes the place of another within a second, and a failure stays until the next", async () => {
  vi.useFakeTimers();
  let announce: Announce = () => undefined;
  function Teller(): null {
    announce = useAnnounce();
    return null;
  }
  render(
    <CalendarProvider locale="fr" client={createCalendarClient({ locale: "fr", openEvents: null })}>
      <Announcements>
        <Teller />
      </Announcements>
    </CalendarProvider>,
  );
  const shown = () => screen.getByRole("status").textContent;
  const later = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));
  const tell = (...results: Parameters<Announce>[]) =>
    act(async () => {
      for (const result of results) announce(...result);
      await Promise.resolve();
    });
  await tell(["Un"], ["Deux"], ["Deux"], ["Trois", "danger"]);
  for (const words of ["Un", "Deux"]) {
    expect(shown()).toBe(words);
    await later(1_000);
    expect(shown()).toBe(words);
    await later(500);
  }
  await later(60_000);
  expect(shown()).toBe("Trois");
  await tell(["Quatre"]);
  await later(0);
  expect(shown()).toBe("Quatre");
  await later(6_000);
  expect(shown()).toBe("");
});

it("news of what the page shows anyway passes by, however grave: it would outlive what it tells of", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  const router = new Router(samples.connected);
  mount(<GoogleCalendarPage />, { withStream: true });
  await waitFor(() => expect(router.watchers).toBe(1));
  await screen.findByText("Aucun rendez-vous à traiter");
  const told = () => document.querySelector(".cc-result-words")?.textContent;
  for (const [status, words] of [
    [samples.someRefused, "3 rendez-vous en erreur"],
    [samples.reconnectNeeded, "Google n’autorise plus Cassius à écrire"],
  ] as const) {
    act(() => router.become(status));
    await waitFor(() => expect(told()).toBe(words));
    await act(() => vi.advanceTimersByTimeAsync(6_000));
    expect(told()).toBe("");
  }
});
