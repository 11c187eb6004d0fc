/** Gives the tests of this folder one running service. */
import type { TestProject } from "vitest/node";

import { Running, type Addresses } from "./running.js";

declare module "vitest" {
  export interface ProvidedContext {
    addresses: Addresses;
  }
}

export default async function start(project: TestProject): Promise<() => Promise<void>> {
  const running = await Running.begin();
  project.provide("addresses", running.addresses);
  return () => running.end();
}
