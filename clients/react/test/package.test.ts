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

it("what is written on a button of danger can be read in both schemes, under the pointer too", () => {
  const luminance = (colour: string) => {
    const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
      const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const tokens = read("src/styles/tokens.css");
  const fills = [...tokens.matchAll(/--cassius-danger-fill[a-z-]*, light-dark\((#\w+), (#\w+)\)/g)].flatMap(
    ([, light = "", dark = ""]) => [light, dark],
  );
  expect(fills).toHaveLength(4);
  // White, as in controls.css.
  for (const fill of fills) expect([fill, 1.05 / (luminance(fill) + 0.05)]).toEqual([fill, expect.toSatisfy(enough)]);
});

const enough = (contrast: number) => contrast >= 4.5;
