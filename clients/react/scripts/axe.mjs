/** Holds every state of the gallery against axe's rules, and against sideways scrolling; ends with 1 on any fault. */
import { AxeBuilder } from "@axe-core/playwright";
import { visitAll } from "./browser.mjs";

const [only = "", ...frameNames] = process.argv.slice(2);
let visited = 0;
const faults = [];
await visitAll(
  async ({ page, name, frame }) => {
    visited += 1;
    const { violations } = await new AxeBuilder({ page }).analyze();
    for (const violation of violations) {
      const targets = violation.nodes.map((node) => `${node.target.join(" ")}: ${node.any[0]?.message ?? ""}`);
      faults.push(`${name} (${frame.name}) ${violation.id}: ${violation.help}\n    ${targets.join("\n    ")}`);
    }
    const overflow = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth");
    if (overflow > 0) faults.push(`${name} (${frame.name}) is ${overflow} px too wide`);
  },
  { only, frameNames },
);
process.stdout.write(`${faults.join("\n")}${faults.length > 0 ? "\n" : ""}${visited} pages, ${faults.length} faults\n`);
process.exitCode = faults.length > 0 || visited === 0 ? 1 : 0;
