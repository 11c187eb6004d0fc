import type { ReactElement, ReactNode } from "react";
import { Reachability, Unanswered } from "../google/Reachability";
import { HealthPill } from "../google/HealthPill";
import { useLastKnown } from "../google/lastKnown";
import { HostLink } from "../host/HostLink";
import { useHost } from "../host/host";
import { useTitle } from "../host/useTitle";
import { useStatus, type StatusView } from "../query/useStatus";
import { CalendarIcon, MailIcon, StethoscopeIcon } from "../ui/icons";
import { Moment } from "../ui/Moment";
import { PageBoundary } from "../ui/PageBoundary";
import { Skeleton } from "../ui/Skeleton";
import { IntegrationCard } from "./IntegrationCard";

/** What the page shows beside Google Calendar. */
export interface IntegrationsPageProps {
  /** The host's further cards, each an `IntegrationCard`. Default: those that are announced. */
  readonly children?: ReactNode;
}

/** The page `/settings/integrations`: a card an integration. */
export function IntegrationsPage({ children }: IntegrationsPageProps): ReactElement {
  return (
    <PageBoundary>
      <Page>{children}</Page>
    </PageBoundary>
  );
}

function Page({ children }: IntegrationsPageProps): ReactElement {
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
      <Reachability view={view} />
      {view.isSignedOut || view.failure?.kind === "foreign" ? <Unanswered view={view} /> : null}
      <ul className="cc-cards">
        <GoogleCard view={view} />
        {children ?? <AnnouncedCards />}
      </ul>
    </div>
  );
}

function AnnouncedCards(): ReactElement {
  const { t } = useHost();
  return (
    <>
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
    </>
  );
}

function GoogleCard({ view }: { readonly view: StatusView }): ReactElement {
  const { t, paths, googleMark } = useHost();
  const name = t("google.title");
  return (
    <IntegrationCard
      name={name}
      description={t("integrations.google.description")}
      icon={googleMark ?? <CalendarIcon />}
      mark={<HealthPill view={view} />}
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

function LastSync({ view }: { readonly view: StatusView }): ReactElement | null {
  const { t } = useHost();
  const lastKnown = useLastKnown(view);
  // What was known is no longer for this reader, or for this page.
  if (view.isSignedOut || view.failure?.kind === "forbidden" || view.failure?.kind === "foreign") return null;
  if (!view.status) return view.failure ? null : <Skeleton width="12rem" />;
  if (lastKnown !== null) return <>{lastKnown}</>;
  if (view.status.lastSyncTime === null) return <>{t("integrations.noSyncYet")}</>;
  const errorCount = view.status.counts.error;
  return (
    <>
      {t("integrations.lastSync")} <Moment instant={view.status.lastSyncTime} tense="past" />
      {errorCount > 0 ? ` · ${t("errors.count", { count: errorCount })}` : null}
    </>
  );
}
