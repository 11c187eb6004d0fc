/** Results that come at once: each is read and seen in its turn. */
import { act, render, screen } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import { CalendarProvider, createCalendarClient } from "../src";
import { Announcements, useAnnounce, type Announce } from "../src/ui/Announcements";

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
