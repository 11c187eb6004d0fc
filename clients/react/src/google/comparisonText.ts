/** Says what a comparison found, the same words on the page and read out. */
import type { Translate } from "../i18n/message";
import type { ComparisonJson } from "../wire";

/** Whether a sync has something to mend; what Google shows newer it leaves as it is. */
export function isToMend({ missingCount, alteredCount, surplusCount }: ComparisonJson): boolean {
  return missingCount + alteredCount + surplusCount > 0;
}

/** Whether Google shows what it should, nothing waits to be sent, and all was looked at. */
export function isInStep(found: ComparisonJson): boolean {
  return agrees(found) && !found.isPartial;
}

function agrees(found: ComparisonJson): boolean {
  return !isToMend(found) && found.newerCount === 0 && found.dueCount === found.remoteCount;
}

/** Answers a line for what was found. */
export function comparisonText(found: ComparisonJson, t: Translate): string {
  const both = `${t("compare.due", { count: found.dueCount })}, ${t("compare.remote", { count: found.remoteCount })}`;
  const partial = found.isPartial ? [t("compare.partial")] : [];
  if (agrees(found)) return [both, t("compare.inStep"), ...partial].join(" · ");
  const newer = found.newerCount > 0 ? [t("compare.newer", { count: found.newerCount })] : [];
  if (!isToMend(found) && newer.length === 0) return [both, t("compare.waiting"), ...partial].join(" · ");
  return [
    both,
    t("compare.missing", { count: found.missingCount }),
    t("compare.altered", { count: found.alteredCount }),
    t("compare.surplus", { count: found.surplusCount }),
    ...newer,
    ...partial,
  ].join(" · ");
}
