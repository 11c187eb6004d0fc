/**
 * Builds the CommonJS half of the package beside the ES modules that `tsc` has written: for hosts, and their Jest, that
 * `require`. What exists as ES modules alone is taken in, since Jest cannot require it; everything else stays outside.
 */
import { cp, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { build } from "vite";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const ESM_ALONE = /^(p-retry|is-network-error|@remix-run\/node-fetch-server)$/;

await build({
  configFile: false,
  logLevel: "warn",
  root: here("../"),
  build: {
    ssr: true,
    target: "node20",
    outDir: "dist/cjs",
    sourcemap: true,
    minify: false,
    rolldownOptions: {
      input: {
        index: here("../src/index.ts"),
        "rest/index": here("../src/rest/index.ts"),
        "rest/types": here("../src/rest/types.ts"),
        "rest/express": here("../src/rest/express.ts"),
      },
      output: { format: "cjs", entryFileNames: "[name].js", chunkFileNames: "[name].js", exports: "named" },
    },
  },
  ssr: { noExternal: [ESM_ALONE] },
});
await cp(here("../dist/esm"), here("../dist/cjs"), {
  recursive: true,
  filter: (path) => !/\.js(\.map)?$|\.d\.ts\.map$/.test(path),
});
await writeFile(here("../dist/cjs/package.json"), '{ "type": "commonjs" }\n');
