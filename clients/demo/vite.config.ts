import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The pages of the demo. `npm run dev` serves them with hot reload and forwards everything else to the demo's server.
export default defineConfig({
  root: "src/web",
  plugins: [react()],
  build: {
    outDir: "../../dist/pages",
    emptyOutDir: true,
  },
  server: {
    host: "127.0.0.1",
    port: 3001,
    proxy: { "/api": "http://127.0.0.1:3000" },
  },
});
