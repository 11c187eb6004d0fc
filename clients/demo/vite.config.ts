import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The pages of the demo. `npm run dev` serves them with hot reload and forwards everything else to the demo's server.
export default defineConfig({
  root: "src/web",
  plugins: [react()],
  build: {
    outDir: "../../dist/pages",
    emptyOutDir: true,
    // `light-dark()` stays as written, so that it follows `color-scheme` wherever that is set.
    cssTarget: ["chrome123", "firefox128", "safari18"],
    // React, React Aria and the pages in one piece: a demo on its own machine gains nothing by more of them.
    chunkSizeWarningLimit: 700,
  },
  server: {
    host: "127.0.0.1",
    port: 3001,
    proxy: { "/api": "http://127.0.0.1:3000" },
  },
});
