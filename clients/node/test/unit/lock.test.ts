/** What is installed is what was locked, byte by byte. */
import { readFileSync } from "node:fs";

import { expect, it } from "vitest";

interface Locked {
  version?: string;
  integrity?: string;
  link?: boolean;
}

const lock = JSON.parse(readFileSync(new URL("../../../package-lock.json", import.meta.url), "utf8")) as {
  packages: Record<string, Locked>;
};

it("every package that is fetched is locked by its digest", () => {
  const fetched = Object.entries(lock.packages).filter(([path, { link }]) => path.includes("node_modules/") && !link);
  expect(fetched.length).toBeGreaterThan(100);
  const unlocked = fetched.filter(([, { integrity }]) => !/^sha512-[\w+/]{86}==$/.test(integrity ?? ""));
  expect(unlocked.map(([path]) => path)).toEqual([]);
});
