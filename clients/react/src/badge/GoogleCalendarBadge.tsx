import type { ReactElement } from "react";
import { HostLink } from "../host/HostLink";
import { useHost } from "../host/host";
import { useStatus, type StatusView } from "../query/useStatus";
import { AlertIcon, CalendarIcon } from "../ui/icons";
import { Skeleton } from "../ui/Skeleton";

/**
 * The badge for the calendar's toolbar. It says nothing where there is nothing to say: without an integration, or when
 * the first question got no answer.
 */
export function GoogleCalendarBadge(): ReactElement {
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
  if (!status) return view.failure ? null : <Skeleton width="10rem" height="1.75rem" />;
  if (status.state === "not_connected") return null;
  if (!isOnline) {
    return (
      <span className="cc-badge cc-badge-faint">
        <CalendarIcon />
        {t("badge.offline")}
      </span>
    );
  }
  if (status.state === "error") {
    return (
      <HostLink href={paths.googleCalendar} className="cc-badge cc-badge-error">
        <AlertIcon />
        {t("badge.error")}
      </HostLink>
    );
  }
  const isDelayed = status.problem?.action === "wait";
  return (
    <span className={isDelayed ? "cc-badge cc-badge-delayed" : "cc-badge"}>
      <CalendarIcon />
      {t("badge.connected")}
      <span className="cc-badge-dot" aria-hidden="true" />
      {isDelayed ? <span className="cc-hidden">{t("badge.delayed")}</span> : null}
    </span>
  );
}
