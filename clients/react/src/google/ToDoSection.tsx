import type { ReactElement, RefObject } from "react";
import { useHost } from "../host/host";
import { CheckIcon, ClockIcon } from "../ui/icons";
import { Section } from "../ui/Section";
import { Skeleton } from "../ui/Skeleton";
import { useFocusKept } from "../ui/useFocusKept";
import type { IntegrationStatusJson } from "../wire";
import { whyNotSend } from "./blocked";
import type { GoogleSectionProps } from "./sectionProps";
import { LinksInErrorList } from "./LinksInErrorList";

/**
 * À traiter: the appointments that Google refused, and nothing else. That there are none is said of now alone while it is
 * known.
 */
export function ToDoSection(
  props: GoogleSectionProps & { readonly titleRef: RefObject<HTMLHeadingElement | null> },
): ReactElement {
  const { status, isOnline, lastKnown, titleRef } = props;
  const { t } = useHost();
  useFocusKept(titleRef, status?.counts.error ?? 0);
  return (
    <Section title={t("errors.title")} lead={t("errors.lead")} caveat={lastKnown} isBusy={!status} titleRef={titleRef}>
      <div className="cc-errors">
        {!status ? (
          <div className="cc-empty">
            <Skeleton width="10rem" />
          </div>
        ) : status.counts.error > 0 ? (
          <LinksInErrorList
            errorCount={status.counts.error}
            digest={digestOf(status)}
            blocked={whyNotSend(status, isOnline, t)}
            timeZone={status.calendar?.timeZone ?? null}
          />
        ) : (
          <p className={lastKnown === null ? "cc-empty cc-empty-title" : "cc-empty cc-empty-title cc-empty-then"}>
            {lastKnown === null ? <CheckIcon /> : <ClockIcon />}
            {t(lastKnown === null ? "errors.none" : "errors.noneThen")}
          </p>
        )}
      </div>
    </Section>
  );
}

function digestOf({ counts, lastSyncTime }: IntegrationStatusJson): string {
  return [counts.error, counts.synced, counts.pending, lastSyncTime].join(" ");
}
