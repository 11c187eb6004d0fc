/**
 * Makes the types of the package complete: relative imports name their file, as Node's resolution wants them, and the
 * JSON of the router comes along, so that the backend's package need not be installed beside a front end; so does the type
 * of the style sheet.
 */
import { copyFile, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, posix, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

const dist = fileURLToPath(new URL("../dist/", import.meta.url));
const ROUTER_TYPES = "@cassius/calendar-client/rest/types";

// Types alone, without an import: as good a declaration as any that is made from it.
await copyFile(new URL("../../node/src/rest/types.ts", import.meta.url), join(dist, "rest-types.d.ts"));

// TypeScript asks for a declaration of whatever is imported for its effect alone, unless the bundler's types are there.
await writeFile(join(dist, "styles.css.d.ts"), "export {};\n");

for (const name of await readdir(dist, { recursive: true })) {
  if (!name.endsWith(".d.ts")) continue;
  const file = join(dist, name);
  const folder = relative(dirname(file), dist).split(sep).join("/");
  const routerTypes = `./${posix.join(folder || ".", "rest-types.js")}`;
  const text = await readFile(file, "utf8");
  await writeFile(
    file,
    text
      .replaceAll(`"${ROUTER_TYPES}"`, JSON.stringify(routerTypes))
      .replace(/(from |import\()"(\.{1,2}\/[^"]+?)(\.js)?"/g, '$1"$2.js"'),
  );
}
