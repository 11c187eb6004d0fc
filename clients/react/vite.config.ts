import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** Builds the library: one module, one style sheet; what a host has anyway stays outside. */
export default defineConfig({
  plugins: [react()],
  build: {
    target: "es2023",
    // `light-dark()` stays as written: the theme's override is a change of `color-scheme`.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    sourcemap: true,
    lib: { entry: "src/bundle.ts", formats: ["es"], fileName: "index", cssFileName: "styles" },
    rolldownOptions: {
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
