/** Which practices nothing is sent of, as erasures are asked for, fail, and are followed by a connection. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, it } from "vitest";

import { openDatabase, type Database } from "../src/server/database.js";
import { Erasures } from "../src/server/erasures.js";

let folder: string;
let database: Database;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cassius-erasures-"));
  database = openDatabase(folder);
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true });
});

it("a mark is taken back by the failure of the one request that made it", () => {
  const erasures = new Erasures(database);
  erasures.add("cabinet");
  expect(erasures.has("cabinet")).toBe(true);
  erasures.undo("cabinet");
  expect(erasures.has("cabinet")).toBe(false);
});

it("a mark that stood before, or that another request relies on, stays", () => {
  const erasures = new Erasures(database);
  erasures.add("cabinet");
  erasures.add("cabinet");
  erasures.undo("cabinet");
  erasures.undo("cabinet");
  expect(erasures.has("cabinet")).toBe(true);
  const restarted = new Erasures(database);
  restarted.add("cabinet");
  restarted.undo("cabinet");
  expect(restarted.has("cabinet")).toBe(true);
});

it("a connection ends it, and the next erasure may fail as the first", () => {
  const erasures = new Erasures(database);
  erasures.add("cabinet");
  erasures.end("cabinet");
  erasures.undo("cabinet");
  expect(erasures.has("cabinet")).toBe(false);
  erasures.add("cabinet");
  erasures.undo("cabinet");
  expect(erasures.has("cabinet")).toBe(false);
});
