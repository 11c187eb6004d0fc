import type { ReactElement } from "react";
import { useHost } from "../host/host";
import { CheckIcon } from "../ui/icons";
import { Section } from "../ui/Section";
import { Skeleton } from "../ui/Skeleton";
import type { GoogleSectionProps } from "./ConnectionSection";
import { LinksInErrorList } from "./LinksInErrorList";
import { ProblemNotice } from "./ProblemNotice";

/** Erreurs: what stands in the way of everything, then the appointments that Google refused. */
export function ErrorsSection({ status, isOnline }: GoogleSectionProps): ReactElement {
  const { t } = useHost();
  return (
    <Section title={t("errors.title")} lead={t("errors.lead")} isBusy={!status}>
      {status ? (
        <div className="cc-errors">
          {status.problem ? <ProblemNotice status={status} problem={status.problem} isOnline={isOnline} /> : null}
          {status.counts.error > 0 ? (
            <LinksInErrorList errorCount={status.counts.error} isOnline={isOnline} />
          ) : status.problem ? null : (
            <NoErrors />
          )}
        </div>
      ) : (
        <div className="cc-empty">
          <Skeleton width="10rem" />
          <Skeleton width="18rem" />
        </div>
      )}
    </Section>
  );
}

function NoErrors(): ReactElement {
  const { t } = useHost();
  return (
    <div className="cc-empty">
      <p className="cc-empty-title">
        <CheckIcon />
        {t("errors.none")}
      </p>
      <p className="cc-hint">{t("errors.noneBody")}</p>
    </div>
  );
}
