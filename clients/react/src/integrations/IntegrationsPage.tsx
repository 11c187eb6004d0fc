import type { ReactElement } from "react";
import { Health } from "../google/Health";
import { connectionLabel } from "../google/stateLabel";
import { HostLink } from "../host/HostLink";
import { useHost } from "../host/host";
import { useTitle } from "../host/useTitle";
import { useStatus, type StatusView } from "../query/useStatus";
import { CalendarIcon, MailIcon, StethoscopeIcon } from "../ui/icons";
import { Moment } from "../ui/Moment";
import { Pill } from "../ui/Pill";
import { Skeleton } from "../ui/Skeleton";
import { IntegrationCard } from "./IntegrationCard";

/** The page `/settings/integrations`: a card an integration. */
export function IntegrationsPage(): ReactElement {
  const { t } = useHost();
  const view = useStatus();
  useTitle(t("integrations.title"));
  return (
    <div className="cassius-calendar cc-page">
      <header className="cc-page-head">
        <h1 className="cc-page-title" tabIndex={-1}>
          {t("integrations.title")}
        </h1>
        <p className="cc-page-lead">{t("integrations.lead")}</p>
      </header>
      <Health view={view} />
      <ul className="cc-cards">
        <GoogleCard view={view} />
        <IntegrationCard
          name="Doctolib"
          description={t("integrations.doctolib.description")}
          icon={<StethoscopeIcon />}
          mark={<span className="cc-tag">{t("integrations.soon")}</span>}
          isSoon
        />
        <IntegrationCard
          name="Gmail"
          description={t("integrations.gmail.description")}
          icon={<MailIcon />}
          mark={<span className="cc-tag">{t("integrations.soon")}</span>}
          isSoon
        />
      </ul>
    </div>
  );
}

function GoogleCard({ view }: { readonly view: StatusView }): ReactElement {
  const { t, paths } = useHost();
  const name = t("google.title");
  return (
    <IntegrationCard
      name={name}
      description={t("integrations.google.description")}
      icon={<CalendarIcon />}
      mark={<GoogleMark view={view} />}
      foot={
        <>
          <p className="cc-hint cc-card-sync">
            <LastSync view={view} />
          </p>
          <HostLink
            href={paths.googleCalendar}
            className="cc-action cc-action-secondary"
            aria-label={t("integrations.configureNamed", { name })}
          >
            {t("integrations.configure")}
          </HostLink>
        </>
      }
    />
  );
}

function GoogleMark({ view }: { readonly view: StatusView }): ReactElement {
  const { t } = useHost();
  if (view.status) {
    const label = connectionLabel(view.status);
    return <Pill tone={label.tone}>{t(label.key)}</Pill>;
  }
  if (!view.isOnline) return <Pill tone="neutral">{t("state.offline")}</Pill>;
  return view.failure ? (
    <Pill tone="neutral">{t("state.unknown")}</Pill>
  ) : (
    <Skeleton width="6.5rem" height="1.625rem" />
  );
}

function LastSync({ view }: { readonly view: StatusView }): ReactElement | null {
  const { t } = useHost();
  if (!view.status) return view.failure ? null : <Skeleton width="12rem" />;
  if (view.status.lastSyncTime === null) return <>{t("integrations.noSyncYet")}</>;
  const errorCount = view.status.counts.error;
  return (
    <>
      {t("integrations.lastSync")} <Moment instant={view.status.lastSyncTime} tense="past" />
      {errorCount > 0 ? ` · ${t("errors.count", { count: errorCount })}` : null}
    </>
  );
}
