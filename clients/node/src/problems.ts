/**
 * Tells the host which integrations break and heal, of all organisations that its key stands for: so that it can write to
 * practices whose calendar stands still.
 *
 * It stores nothing: a host that is started anew is told again of what is broken, and goes by organisation, `sinceTime` and
 * days. Its invariant: while it runs, each piece of news is told once, however often the stream breaks off, unless the host
 * failed to take it.
 */
import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { Client } from "@connectrpc/connect";

import { ProblemAction, type CalendarIntegration } from "./gen/cassius/calendar/v1/calendar_integration_pb.js";
import type { BrokenIntegration } from "./gen/cassius/calendar/v1/calendar_integration_pb.js";
import { CalendarError, reasonName } from "./error.js";
import { pauseAfter } from "./retry.js";

/** What became of an integration. */
export type ProblemNews = { organisationId: string } & (
  | {
      kind: "broken";
      /** For how many days at least: 0, 1, 3 or 7. It is told anew at each of them. */
      days: number;
      /** The stable reason, such as `RECONNECT_REQUIRED`. */
      reason: string;
      /** A sentence for the practice. */
      message: string;
      /** What has to be done. */
      action: ProblemAction;
      /** Since when; with the organisation and the days it names this piece of news for ever. */
      sinceTime: Date | null;
    }
  /** It works again, or was disconnected. */
  | { kind: "healed" }
);

/** How problems are followed. */
export interface ProblemListener {
  /**
   * Takes a piece of news; the next one waits for it. What it fails to take is told again when the stream is opened anew.
   */
  onProblem: (news: ProblemNews) => void | Promise<void>;
  /** Is told when the stream could not be opened, once until it works again. */
  onFailure?: (error: CalendarError) => void;
  /** Ends it. */
  signal: AbortSignal;
}

/** Follows problems until the signal is aborted. The promise always fulfils. */
export async function followProblems(
  integration: Client<typeof CalendarIntegration>,
  { onProblem, onFailure, signal }: ProblemListener,
): Promise<void> {
  const told = new Map<string, string>();
  const tell = async (news: ProblemNews, mark: string | null) => {
    try {
      await onProblem(news);
      if (mark === null) told.delete(news.organisationId);
      else told.set(news.organisationId, mark);
    } catch {
      // It stays untold.
    }
  };
  const isOver = () => signal.aborted;
  let failures = 0;
  let isAway = false;
  while (!isOver()) {
    const broken = new Set<string>();
    try {
      for await (const { notice } of integration.watchProblems({}, { signal })) {
        failures = 0;
        isAway = false;
        switch (notice.case) {
          case "broken": {
            broken.add(notice.value.organisationId);
            const mark = markOf(notice.value);
            if (told.get(notice.value.organisationId) !== mark) await tell(newsOf(notice.value), mark);
            break;
          }
          case "healed":
            await tell({ kind: "healed", organisationId: notice.value.organisationId }, null);
            break;
          case "allTold":
            for (const organisationId of [...told.keys()]) {
              if (!broken.has(organisationId)) await tell({ kind: "healed", organisationId }, null);
            }
            break;
          case undefined:
          // A notice that is newer than this client.
        }
      }
    } catch (thrown) {
      if (!isOver() && !isAway) {
        isAway = true;
        onFailure?.(CalendarError.from(thrown));
      }
    }
    failures += 1;
    await pauseAfter(failures, signal);
  }
}

function markOf({ problem, days }: BrokenIntegration): string {
  return `${String(problem?.sinceTime?.seconds)} ${String(problem?.sinceTime?.nanos)} ${days}`;
}

function newsOf({ organisationId, problem, days }: BrokenIntegration): ProblemNews {
  return {
    kind: "broken",
    organisationId,
    days,
    reason: problem === undefined ? "INTERNAL" : reasonName(problem.reason),
    message: problem?.message ?? "",
    action: problem?.action ?? ProblemAction.UNSPECIFIED,
    sinceTime: problem?.sinceTime === undefined ? null : timestampDate(problem.sinceTime),
  };
}
