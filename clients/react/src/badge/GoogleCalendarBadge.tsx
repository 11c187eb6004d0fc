import type { ReactElement, ReactNode } from "react";
import { HEALTH_ANCHOR, healthOf } from "../google/health";
import { HostLink } from "../host/HostLink";
import { useHost } from "../host/host";
import { useStatus, type StatusView } from "../query/useStatus";
import { AlertIcon, CalendarIcon } from "../ui/icons";
import { PageBoundary } from "../ui/PageBoundary";
import { Skeleton } from "../ui/Skeleton";

/**
 * The badge for the calendar's toolbar. It says nothing where there is nothing to say: without an integration, or to who
 * may not see it. While the service cannot be asked it claims nothing.
 */
export function GoogleCalendarBadge(): ReactElement {
  return (
    <PageBoundary fallback={null}>
      <Slot />
    </PageBoundary>
  );
}

function Slot(): ReactElement {
  const view = useStatus();
  return (
    <span className="cassius-calendar cc-badge-slot" role="status">
      <Badge view={view} />
    </span>
  );
}

function Badge({ view }: { readonly view: StatusView }): ReactElement | null {
  const { t, paths } = useHost();
  const { status, isOnline } = view;
  if (!status && !view.failure) return <Skeleton width="10rem" height="1.75rem" />;
  if (view.failure?.kind === "forbidden") return null;
  if (status?.state === "not_connected" || status?.state === "disconnecting") return null;
  if (!isOnline) return <FaintBadge>{t("badge.offline")}</FaintBadge>;
  if (!status || view.isLastKnown || view.isSignedOut) return <FaintBadge>{t("badge.unknown")}</FaintBadge>;
  const health = healthOf(status);
  const href = `${paths.googleCalendar}#${HEALTH_ANCHOR}`;
  switch (health) {
    case "stopped":
    case "refused":
      return (
        <HostLink href={href} className="cc-badge cc-badge-error">
          <AlertIcon />
          {health === "stopped" ? t("badge.error") : t("badge.refused", { count: status.counts.error })}
        </HostLink>
      );
    case "paused": {
      const { pending, unsent } = status.counts;
      const waiting = pending + unsent;
      return (
        <HostLink href={href} className="cc-badge cc-badge-paused">
          <CalendarIcon />
          {waiting > 0 ? t("badge.pausedPending", { count: waiting }) : t("badge.paused")}
        </HostLink>
      );
    }
    case "asked":
    case "behind":
    case "unsent":
      return (
        <HostLink href={href} className="cc-badge cc-badge-unsent">
          <CalendarIcon />
          {health === "unsent" ? t("badge.unsent", { count: status.counts.unsent }) : t(`badge.${health}`)}
        </HostLink>
      );
    case "not_connected":
    case "disconnecting":
      return null;
    case "delayed":
    case "syncing":
    case "working":
      return <ConnectedBadge isDelayed={health === "delayed"} />;
  }
}

function ConnectedBadge({ isDelayed }: { readonly isDelayed: boolean }): ReactElement {
  const { t } = useHost();
  return (
    <span className={isDelayed ? "cc-badge cc-badge-delayed" : "cc-badge"}>
      <CalendarIcon />
      {t("badge.connected")}
      <span className="cc-badge-dot" aria-hidden="true" />
      {isDelayed ? (
        <>
          <span aria-hidden="true">{t("badge.delayedWord")}</span>
          <span className="cc-hidden">{t("badge.delayed")}</span>
        </>
      ) : null}
    </span>
  );
}

function FaintBadge({ children }: { readonly children: ReactNode }): ReactElement {
  return (
    <span className="cc-badge cc-badge-faint">
      <CalendarIcon />
      {children}
    </span>
  );
}
