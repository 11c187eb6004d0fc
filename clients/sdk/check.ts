/**
 * Installs the packages of `target/sdk` as a host does, and runs the test of each against a service of its own.
 *
 *   clients/sdk/build && tsx clients/sdk/check.ts
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { Running } from "../node/test/service/running.js";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const OUT = here("../../target/sdk");
const python = `${OUT}/venv/bin/python`;
const wheel = readdirSync(OUT).find((name) => name.endsWith(".whl"));
const gems = `${OUT}/gems`;

await run(
  python,
  ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--force-reinstall", "--no-deps"],
  {
    last: `${OUT}/${String(wheel)}`,
  },
);
// What it needs is Debian's, which no gem server is asked for.
await run("gem", ["install", "--quiet", "--local", "--no-document", "--ignore-dependencies", "--install-dir", gems], {
  last: `${OUT}/cassius-calendar.gem`,
});
const service = await Running.begin();
try {
  const environment = { CALENDAR_ADDRESS: new URL(service.addresses.calendar).host };
  await run(python, [here("python/test_service.py")], { environment });
  await run("ruby", [here("ruby/test_service.rb")], {
    environment: { ...environment, GEM_HOME: gems },
  });
} finally {
  await service.end();
}

async function run(command: string, args: string[], more: { last?: string; environment?: Record<string, string> }) {
  const all = more.last === undefined ? args : [...args, more.last];
  const child = spawn(command, all, { stdio: "inherit", cwd: OUT, env: { ...process.env, ...more.environment } });
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) throw new Error(`${command} ${all.join(" ")} ended with ${String(code)}`);
}
