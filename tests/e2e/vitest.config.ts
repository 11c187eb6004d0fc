import { defineConfig } from "vitest/config";

// One file after the other: each test has a service, a demo and pages of its own, and the machine may be small.
export default defineConfig({
  test: {
    fileParallelism: false,
    testTimeout: 90_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 15_000, interval: 50 } },
  },
});
