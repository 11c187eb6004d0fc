import type { ReactElement } from "react";
import { ProgressBar } from "react-aria-components";
import { useHost } from "../host/host";
import type { CatchUpJson, DisconnectProgressJson, IntegrationStatusJson } from "../wire";
import { catchUpShown, isConnected } from "./health";

/**
 * How far a catch-up is; at rest, and of a status that is only known last, how many appointments stand how. Both take the
 * same room.
 */
export function SyncProgress(props: {
  readonly status: IntegrationStatusJson;
  readonly isLastKnown: boolean;
}): ReactElement {
  const { status, isLastKnown } = props;
  const { t } = useHost();
  return (
    <div className="cc-progress-slot">
      {status.catchUp && !isLastKnown && catchUpShown(status) !== null ? (
        <ProgressLine label={t("progress.label")} progress={status.catchUp} />
      ) : (
        <Counts status={status} />
      )}
    </div>
  );
}

/** A bar with its figures: how many are over, and how many of them Google refused. */
export function ProgressLine(props: {
  readonly label: string;
  readonly progress: CatchUpJson | DisconnectProgressJson;
}): ReactElement {
  const { label, progress } = props;
  const { t } = useHost();
  const finished = Math.min(progress.done + progress.failed, progress.total);
  const words = [
    t("progress.value", { done: finished, total: progress.total }),
    ...(progress.failed > 0 ? [t("progress.failed", { count: progress.failed })] : []),
  ].join(" · ");
  return (
    <ProgressBar
      className="cc-progress"
      aria-label={label}
      value={finished}
      maxValue={Math.max(progress.total, 1)}
      valueLabel={words}
    >
      {({ percentage }) => (
        <>
          <span className="cc-progress-words">{words}</span>
          <span className="cc-progress-track">
            <span className="cc-progress-fill" style={{ width: `${percentage ?? 0}%` }} />
          </span>
        </>
      )}
    </ProgressBar>
  );
}

/** How many appointments stand how. */
export function Counts({ status }: { readonly status: IntegrationStatusJson }): ReactElement {
  const { t } = useHost();
  const { synced, pending, error, unsent } = status.counts;
  const parts = [t("connection.counts.synced", { count: synced })];
  // Nothing is sent any more once the account is being disconnected.
  const isSending = isConnected(status);
  if (isSending && unsent > 0) parts.push(t("connection.counts.unsent", { count: unsent }));
  if (isSending && pending > 0) parts.push(t("connection.counts.pending", { count: pending }));
  if (error > 0) parts.push(t("connection.counts.error", { count: error }));
  // A line ends between two of them.
  return <p className="cc-counts">{parts.map((part) => part.replaceAll(" ", "\u00a0")).join("\u00a0· ")}</p>;
}
