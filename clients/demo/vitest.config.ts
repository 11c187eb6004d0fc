import { defineConfig } from "vitest/config";

// Apart from `vite.config.ts`, whose root is the pages.
export default defineConfig({ test: { include: ["test/**/*.test.ts"] } });
