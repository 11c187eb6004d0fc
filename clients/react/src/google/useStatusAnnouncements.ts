/**
 * Tells what changed by itself: a problem that came or went, appointments that were refused, a disconnect that ended.
 * Answers no action.
 */
import { useEffect, useRef } from "react";
import { useHost } from "../host/host";
import { useAnnounce } from "../ui/Announcements";
import type { IntegrationStatusJson } from "../wire";
import { problemTitle } from "./problem";
import { isConnected } from "./health";

/** Tells each change of `status` from the second one on. A catch-up is told by its own end, with what was refused. */
export function useStatusAnnouncements(status: IntegrationStatusJson | undefined): void {
  const { t } = useHost();
  const announce = useAnnounce();
  const last = useRef<IntegrationStatusJson | undefined>(undefined);
  useEffect(() => {
    const before = last.current;
    last.current = status;
    if (!before || !status) return;
    if (before.state === "disconnecting" && status.state === "not_connected") announce(t("disconnect.done"));
    if (!isConnected(status)) return;
    const { problem, counts } = status;
    if (problem && problem.reason !== before.problem?.reason) {
      announce(t(problemTitle(problem)), problem.action === "wait" ? "neutral" : "danger", true);
    } else if (!problem && before.problem) {
      announce(t("problem.over"));
    } else if (counts.error > before.counts.error && !before.catchUp) {
      announce(t("errors.count", { count: counts.error }), "danger", true);
    }
  }, [status, announce, t]);
}
