import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** Serves and builds the gallery, from the sources. */
export default defineConfig({
  root: import.meta.dirname,
  base: "./",
  plugins: [react()],
  build: { outDir: "dist", emptyOutDir: true, cssTarget: ["chrome123", "firefox120", "safari17.5"] },
});
