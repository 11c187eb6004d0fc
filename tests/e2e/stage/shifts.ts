/** How far what is drawn moves by itself: not by somebody's click or key. */
import type { Page } from "playwright-core";

declare global {
  interface Window {
    shifted: number;
    /** What moved, by its class. */
    movers: Set<string>;
    countLatestShifts: () => void;
  }
}

/** What the browser says of a layout shift. */
interface Shift {
  value: number;
  hadRecentInput: boolean;
  sources: { node: Node | null }[];
}

/** As far as an eye follows. */
export const STILL = 0.02;

/** Counts in every page from now on. */
export async function countShifts(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const count = (shifts: PerformanceEntryList) => {
      for (const { value, hadRecentInput, sources } of shifts as (PerformanceEntry & Shift)[]) {
        if (hadRecentInput) continue;
        window.shifted += value;
        for (const { node } of sources) {
          const element = node instanceof Element ? node : node?.parentElement;
          window.movers.add(element?.getAttribute("class") ?? node?.nodeName ?? "gone");
        }
      }
    };
    window.shifted = 0;
    window.movers = new Set();
    const observer = new PerformanceObserver((list) => count(list.getEntries()));
    observer.observe({ type: "layout-shift", buffered: true });
    window.countLatestShifts = () => count(observer.takeRecords());
  });
}

/** The sum of the shifts since the page came or was last asked, those of the latest frame included, and what moved. */
export async function moved(page: Page): Promise<{ shift: number; movers: string[] }> {
  return await page.evaluate(async () => {
    for (let frame = 0; frame < 2; frame += 1) await new Promise((drawn) => requestAnimationFrame(drawn));
    window.countLatestShifts();
    const { shifted: shift, movers } = window;
    window.shifted = 0;
    window.movers = new Set();
    return { shift, movers: [...movers] };
  });
}
