/** Renders components as a host does, with a client that speaks HTTP and reads a real event stream. */
import { QueryClient } from "@tanstack/react-query";
import { render, type RenderResult } from "@testing-library/react";
import userEvent, { type UserEvent } from "@testing-library/user-event";
import { EventSource } from "eventsource";
import type { ReactElement } from "react";
import { CalendarProvider, createCalendarClient, type CalendarProviderProps } from "../src";

/** How a test differs from a plain host. */
export interface MountOptions extends Partial<Omit<CalendarProviderProps, "children">> {
  /** Without a stream the components poll. */
  readonly withStream?: boolean;
}

/** Renders `children` under a provider. */
export function mount(children: ReactElement, options: MountOptions = {}): RenderResult & { user: UserEvent } {
  const { withStream = false, ...given } = options;
  const locale = given.locale ?? "fr";
  const client = createCalendarClient({
    locale,
    openEvents: withStream ? (url) => new EventSource(url) : null,
  });
  const user = userEvent.setup();
  const view = render(
    <CalendarProvider client={client} queryClient={new QueryClient()} locale={locale} {...given}>
      {children}
    </CalendarProvider>,
  );
  return { ...view, user };
}

/** Makes the browser say that it has, or lacks, a network. */
export function setOnline(isOnline: boolean): void {
  Object.defineProperty(navigator, "onLine", { value: isOnline, configurable: true });
  window.dispatchEvent(new Event(isOnline ? "online" : "offline"));
}
