/** What the package says of itself is so. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

// Not by `import.meta.url`: Vite takes an address made of that for an asset.
const placeOf = (path: string) => join(import.meta.dirname, "..", path);
const read = (path: string) => readFileSync(placeOf(path), "utf8");

it("the README lists every variable of the theme, and no other", () => {
  const styles = readdirSync(placeOf("src/styles")).map((name) => read(`src/styles/${name}`));
  const used = styles.flatMap((css) => [...css.matchAll(/var\(\s*(--cassius-[a-z-]+)/g)].map(([, name]) => name));
  const listed = [...read("README.md").matchAll(/^\| `(--cassius-[a-z-]+)`/gm)].map(([, name]) => name);
  expect(listed.toSorted()).toEqual([...new Set(used)].toSorted());
});
