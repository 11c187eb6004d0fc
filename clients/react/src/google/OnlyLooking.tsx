import type { ReactElement } from "react";
import { useHost } from "../host/host";
import { Moment } from "../ui/Moment";
import { Pill } from "../ui/Pill";
import { Section } from "../ui/Section";
import { Skeleton } from "../ui/Skeleton";
import type { GoogleSectionProps } from "./sectionProps";
import { rowWord } from "./standing";
import { Counts } from "./SyncProgress";

/** For who may look and change nothing: how the sending stands, since when, and whom to tell. */
export function OnlyLooking({ status }: Pick<GoogleSectionProps, "status">): ReactElement {
  const { t } = useHost();
  const label = status && rowWord(status, t);
  return (
    <Section title={t("connection.sync")} lead={t("looking.lead")} isBusy={!status}>
      <div className="cc-errors">
        {status && label ? (
          <div className="cc-row-value">
            <span>
              <Pill tone={label.tone}>{label.word}</Pill>
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
