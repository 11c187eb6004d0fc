import type { ReactElement } from "react";
import { useHost } from "../host/host";
import type { StatusView } from "../query/useStatus";
import { Moment } from "../ui/Moment";
import { Section } from "../ui/Section";
import { Skeleton } from "../ui/Skeleton";
import { rowWord } from "./health";
import { HealthPill } from "./HealthPill";
import { useLastKnown } from "./lastKnown";
import { Counts } from "./SyncProgress";

/** For who may look and change nothing: how the sending stands, since when, and whom to tell. */
export function OnlyLooking({ view }: { readonly view: StatusView }): ReactElement {
  const { t } = useHost();
  const { status } = view;
  const lastKnown = useLastKnown(view);
  return (
    <Section title={t("connection.sync")} lead={t("looking.lead")} caveat={lastKnown} isBusy={!status}>
      <div className="cc-errors">
        {status ? (
          <div className="cc-row-value">
            <span>
              <HealthPill view={view} wordOf={rowWord} />
            </span>
            <span className="cc-hint">
              {status.lastSyncTime === null ? (
                t("connection.neverSynced")
              ) : (
                <>
                  {t("connection.lastSync")} <Moment instant={status.lastSyncTime} tense="past" />
                </>
              )}
            </span>
            <Counts status={status} />
          </div>
        ) : (
          <Skeleton width="14rem" />
        )}
        <p>{t("looking.whom")}</p>
      </div>
    </Section>
  );
}
