/**
 * Measures what a host page loads for the pages and the badge, React excluded: the built library with React Aria and
 * TanStack Query, minified and gzipped. Ends with 1 above the budget.
 */
import { gzipSync } from "node:zlib";
import { readFile } from "node:fs/promises";
import { build } from "vite";

const BUDGET_KB = 150;

const here = (path) => new URL(path, import.meta.url).pathname;
const result = await build({
  configFile: false,
  logLevel: "error",
  root: here("../"),
  define: { "process.env.NODE_ENV": '"production"' },
  build: {
    write: false,
    target: "es2023",
    lib: { entry: here("../dist/index.js"), formats: ["es"], fileName: "all" },
    minify: true,
    rolldownOptions: { external: [/^react($|\/)/, /^react-dom($|\/)/] },
  },
});
const chunks = [result]
  .flat()
  .flatMap((each) => each.output)
  .filter((each) => each.type === "chunk");
const kilobytes = (bytes) => gzipSync(bytes, { level: 9 }).length / 1000;
const scripts = chunks.reduce((sum, chunk) => sum + kilobytes(chunk.code), 0);
const style = kilobytes(await readFile(here("../dist/styles.css")));
process.stdout.write(
  `script ${scripts.toFixed(1)} kB, style ${style.toFixed(1)} kB gzipped, React excluded (budget ${BUDGET_KB} kB of script)\n`,
);
process.exitCode = scripts > BUDGET_KB ? 1 : 0;
