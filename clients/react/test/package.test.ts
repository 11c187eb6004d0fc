/** What the package says of itself is so. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

it("the README lists every variable of the theme, and no other", () => {
  const styles = readdirSync(new URL("../src/styles/", import.meta.url)).map((name) => read(`src/styles/${name}`));
  const used = styles.flatMap((css) => [...css.matchAll(/var\(\s*(--cassius-[a-z-]+)/g)].map(([, name]) => name));
  const listed = [...read("README.md").matchAll(/^\| `(--cassius-[a-z-]+)`/gm)].map(([, name]) => name);
  expect(listed.toSorted()).toEqual([...new Set(used)].toSorted());
});
