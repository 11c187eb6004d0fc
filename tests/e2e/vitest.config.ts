import { defineConfig } from "vitest/config";

// Two files at a time: each test has a service, a demo and pages of its own, and mostly waits.
export default defineConfig({
  test: {
    maxWorkers: 2,
    testTimeout: 90_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 15_000, interval: 50 } },
  },
});
