import type { ReactElement, RefObject } from "react";
import { useHost } from "../host/host";
import { CheckIcon } from "../ui/icons";
import { Section } from "../ui/Section";
import { Skeleton } from "../ui/Skeleton";
import { useFocusKept } from "../ui/useFocusKept";
import type { IntegrationStatusJson } from "../wire";
import { whyNotSend } from "./blocked";
import type { GoogleSectionProps } from "./sectionProps";
import { LinksInErrorList } from "./LinksInErrorList";

/** À traiter: the appointments that Google refused, and nothing else. */
export function ToDoSection(
  props: GoogleSectionProps & { readonly titleRef: RefObject<HTMLHeadingElement | null> },
): ReactElement {
  const { status, isOnline, titleRef } = props;
  const { t } = useHost();
  useFocusKept(titleRef, status?.counts.error ?? 0);
  return (
    <Section title={t("errors.title")} lead={t("errors.lead")} isBusy={!status} titleRef={titleRef}>
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
          <p className="cc-empty cc-empty-title">
            <CheckIcon />
            {t("errors.none")}
          </p>
        )}
      </div>
    </Section>
  );
}

function digestOf({ counts, lastSyncTime }: IntegrationStatusJson): string {
  return [counts.error, counts.synced, counts.pending, lastSyncTime].join(" ");
}
