/**
 * The names under which answers are kept. All of them begin with the base path, so that two routers in one page
 * never share an answer.
 */
import type { CalendarClient } from "../api/client";

const root = (client: CalendarClient) => ["cassius-calendar", client.basePath] as const;

/** One function a question. */
export const keys = {
  all: root,
  /** Whether a name is one of these. */
  isOf: (client: CalendarClient, key: readonly unknown[] | undefined) =>
    root(client).every((word, index) => key?.[index] === word),
  status: (client: CalendarClient) => [...root(client), "status"] as const,
  calendars: (client: CalendarClient) => [...root(client), "calendars"] as const,
  linksInError: (client: CalendarClient) => [...root(client), "links-in-error"] as const,
  linkOf: (client: CalendarClient) => [...root(client), "link-of"] as const,
  journal: (client: CalendarClient) => [...root(client), "journal"] as const,
  history: (client: CalendarClient) => [...root(client), "history"] as const,
  preview: (client: CalendarClient) => [...root(client), "preview"] as const,
  syncNow: (client: CalendarClient) => [...root(client), "sync-now"] as const,
  compare: (client: CalendarClient) => [...root(client), "compare"] as const,
  testEvent: (client: CalendarClient) => [...root(client), "test-event"] as const,
  /** What has begun the catch-up that is under way; absent where no setting of this page did. */
  catchUpCause: (client: CalendarClient) => [...root(client), "catch-up-cause"] as const,
  connect: (client: CalendarClient) => [...root(client), "connect"] as const,
  confirmAccount: (client: CalendarClient) => [...root(client), "confirm-account"] as const,
  disconnect: (client: CalendarClient) => [...root(client), "disconnect"] as const,
  erase: (client: CalendarClient) => [...root(client), "erase"] as const,
  retry: (client: CalendarClient) => [...root(client), "retry"] as const,
  settings: (client: CalendarClient) => [...root(client), "settings"] as const,
};
