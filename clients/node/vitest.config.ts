import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"] } },
      {
        test: {
          name: "service",
          include: ["test/service/**/*.test.ts"],
          globalSetup: ["test/service/start.ts"],
          testTimeout: 20_000,
        },
      },
    ],
  },
});
