import { useState, type ReactElement, type RefObject } from "react";
import { useHost } from "../host/host";
import { CheckIcon } from "../ui/icons";
import { Section } from "../ui/Section";
import { Skeleton } from "../ui/Skeleton";
import { useFocusKept } from "../ui/useFocusKept";
import { ChangeCalendarWindow } from "./ChangeCalendarWindow";
import type { IntegrationStatusJson } from "../wire";
import type { GoogleSectionProps } from "./ConnectionSection";
import { LinksInErrorList } from "./LinksInErrorList";
import { ProblemNotice } from "./ProblemNotice";

/** Erreurs: what stands in the way of everything, then the appointments that Google refused. */
export function ErrorsSection(
  props: GoogleSectionProps & { readonly titleRef: RefObject<HTMLHeadingElement | null> },
): ReactElement {
  const { status, isOnline, titleRef } = props;
  const { t } = useHost();
  const [isChoosing, setChoosing] = useState(false);
  useFocusKept(titleRef, status ? status.counts.error + (status.problem ? 1 : 0) : 0);
  return (
    <Section title={t("errors.title")} lead={t("errors.lead")} isBusy={!status} titleRef={titleRef}>
      {status ? (
        <div className="cc-errors">
          {status.problem ? (
            <ProblemNotice problem={status.problem} isOnline={isOnline} onChooseCalendar={() => setChoosing(true)} />
          ) : null}
          {status.counts.error > 0 ? (
            <LinksInErrorList
              errorCount={status.counts.error}
              digest={digestOf(status)}
              isOnline={isOnline}
              timeZone={status.calendar?.timeZone ?? null}
            />
          ) : status.problem ? null : (
            <NoErrors pendingCount={status.counts.pending} />
          )}
        </div>
      ) : (
        <div className="cc-errors">
          <div className="cc-empty">
            <Skeleton width="10rem" />
            <div className="cc-hint">
              <Skeleton width="18rem" />
            </div>
          </div>
        </div>
      )}
      {status && isChoosing ? <ChangeCalendarWindow status={status} onClose={() => setChoosing(false)} /> : null}
    </Section>
  );
}

function digestOf({ counts, lastSyncTime }: IntegrationStatusJson): string {
  return [counts.error, counts.synced, counts.pending, lastSyncTime].join(" ");
}

function NoErrors({ pendingCount }: { readonly pendingCount: number }): ReactElement {
  const { t } = useHost();
  return (
    <div className="cc-empty">
      <p className="cc-empty-title">
        <CheckIcon />
        {t("errors.none")}
      </p>
      <p className="cc-hint">
        {pendingCount > 0 ? t("errors.noneWaiting", { count: pendingCount }) : t("errors.noneBody")}
      </p>
    </div>
  );
}
