import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** Builds the library: one module, one style sheet; what a host has anyway stays outside. */
export default defineConfig({
  plugins: [react()],
  build: {
    target: "es2023",
    // `light-dark()` and colours made from the accent stay as written: both follow the host's.
    cssTarget: ["chrome123", "firefox128", "safari18"],
    sourcemap: true,
    lib: { entry: "src/bundle.ts", formats: ["es"], fileName: "index", cssFileName: "styles" },
    rolldownOptions: {
      // For a host that renders on its server as well: all of this is the browser's.
      output: { banner: '"use client";' },
      external: [/^react($|\/)/, /^react-dom($|\/)/, /^react-aria-components/, /^@tanstack\//],
    },
  },
  test: {
    environment: "jsdom",
    environmentOptions: { jsdom: { url: "http://localhost:3000/settings/integrations/google-calendar" } },
    testTimeout: 30_000,
    setupFiles: ["test/setup.ts"],
    include: ["test/**/*.test.{ts,tsx}"],
  },
});
