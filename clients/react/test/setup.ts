import "@testing-library/jest-dom/vitest";
import { cleanup, configure } from "@testing-library/react";
import { afterAll, afterEach, beforeAll, vi } from "vitest";
import { server } from "./router";

// A busy machine is slow, not wrong.
configure({ asyncUtilTimeout: 10_000 });

// What jsdom lacks and the browser has.
Element.prototype.scrollIntoView = () => undefined;

beforeAll(() => server.listen({ onUnhandledRequest: "error" }));
afterEach(() => {
  cleanup();
  server.resetHandlers();
  vi.restoreAllMocks();
  window.history.replaceState(null, "", "/settings/integrations/google-calendar");
});
afterAll(() => server.close());
