import type { ReactElement, ReactNode } from "react";
import { HealthPill } from "../google/HealthPill";
import { HostLink } from "../host/HostLink";
import { useHost } from "../host/host";
import { useTitle } from "../host/useTitle";
import { useStatus } from "../query/useStatus";
import { PageBoundary } from "../ui/PageBoundary";
import { useDestinations, type SettingsDestination } from "./destinations";

/** What the overview is drawn from. */
export interface SettingsOverviewProps {
  /** The pages that it leads to, each with how it stands. Default: profile, organisation, integrations, security. */
  readonly destinations?: readonly SettingsDestination[];
  /** How the host's own pages stand, by their path. */
  readonly summaries?: Readonly<Record<string, ReactNode>>;
}

/** The page `/settings`: what there is to set, and how each of it stands. */
export function SettingsOverview(props: SettingsOverviewProps): ReactElement {
  return (
    <PageBoundary>
      <Page {...props} />
    </PageBoundary>
  );
}

function Page({ destinations, summaries = {} }: SettingsOverviewProps): ReactElement {
  const { t, paths } = useHost();
  const listed = useDestinations(destinations);
  useTitle(t("settings.title"));
  return (
    <div className="cassius-calendar cc-page">
      <header className="cc-page-head">
        <h1 className="cc-page-title" tabIndex={-1}>
          {t("settings.title")}
        </h1>
      </header>
      <ul className="cc-cards">
        {listed.map(({ path, label, icon }) => (
          <li key={path} className="cc-card cc-overview">
            <span className="cc-card-icon">{icon}</span>
            <div className="cc-card-words">
              <HostLink href={path} className="cc-overview-link">
                {label}
              </HostLink>
              <div className="cc-card-description">
                {summaries[path] ?? (path === paths.integrations ? <GoogleSummary /> : null)}
              </div>
            </div>
          </li>
        ))}
      </ul>
    </div>
  );
}

function GoogleSummary(): ReactElement | null {
  const { t } = useHost();
  const view = useStatus();
  // Who may not see it is told nothing of it, as by the badge.
  if (view.failure?.kind === "forbidden") return null;
  return (
    <span className="cc-overview-state">
      {t("google.title")}
      <HealthPill view={view} />
    </span>
  );
}
