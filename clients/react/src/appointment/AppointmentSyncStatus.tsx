import type { ReactElement } from "react";
import { failureText } from "../google/failureText";
import { useNow } from "../host/browser";
import { useHost } from "../host/host";
import { timeOfDay } from "../i18n/moment";
import { useAppointmentLink, useLinksFollowing } from "../query/linkOf";
import { useRetry } from "../query/mutations";
import { useStatus } from "../query/useStatus";
import { Action } from "../ui/Action";
import { GoogleLink } from "../ui/GoogleLink";
import { PageBoundary } from "../ui/PageBoundary";
import type { Tone } from "../ui/Pill";
import type { AppointmentLinkJson, SyncStatusJson } from "../wire";

/** What the status of an appointment is drawn from. */
export interface AppointmentSyncStatusProps {
  /** The appointment's id in Cassius. */
  readonly id: string;
  /** The dot alone, with its words for a screen reader: for a grid. Default: the words, and what can be done. */
  readonly isCompact?: boolean;
  /** Whether a refused one may be tried again from here. Default: it may. */
  readonly mayRetry?: boolean;
}

/** How an appointment stands: by its status, and by whether an event stands at all. */
type ShownStatus = SyncStatusJson | "outdated";

const TONES: Readonly<Record<ShownStatus, Tone>> = {
  none: "neutral",
  outdated: "warning",
  pending: "warning",
  synced: "success",
  error: "danger",
};

/** A called-off appointment is in step once its event is gone; one that changed during a pause has an older event. */
function shownStatus({ syncStatus, externalEventId, htmlLink }: AppointmentLinkJson): ShownStatus {
  if (syncStatus === "synced" && externalEventId === null) return "none";
  // An id may have been chosen for an event that was then refused.
  return syncStatus === "none" && htmlLink !== null ? "outdated" : syncStatus;
}

/**
 * How one appointment stands at Google, for the host's own form and grid. It follows the status of the page; it says nothing
 * where nothing is connected, and of an appointment that the service has never had.
 */
export function AppointmentSyncStatus(props: AppointmentSyncStatusProps): ReactElement {
  return (
    <PageBoundary fallback={null}>
      <Shown {...props} />
    </PageBoundary>
  );
}

function Shown({ id, isCompact = false, mayRetry = true }: AppointmentSyncStatusProps): ReactElement | null {
  const { status, isSignedOut } = useStatus();
  const isConnected = status !== undefined && status.state !== "not_connected" && status.state !== "disconnecting";
  const { data: link } = useAppointmentLink(id, isConnected && !isSignedOut);
  useLinksFollowing(status);
  if (!isConnected || isSignedOut || !link) return null;
  return (
    <span className={`cassius-calendar cc-appointment cc-tone-${TONES[shownStatus(link)]}`}>
      <span className="cc-appointment-dot" aria-hidden="true" />
      {isCompact ? <Words link={link} isHidden /> : <Whole link={link} mayRetry={mayRetry} />}
    </span>
  );
}

function Words({ link, isHidden = false }: { readonly link: AppointmentLinkJson; readonly isHidden?: boolean }) {
  const { t, locale } = useHost();
  const now = useNow();
  const shown = shownStatus(link);
  const text =
    shown === "synced" && link.lastSyncTime !== null
      ? t("appointment.syncedSince", { time: timeOfDay(new Date(link.lastSyncTime), now, locale) })
      : t(`appointment.${shown}`);
  return <span className={isHidden ? "cc-hidden" : undefined}>{text}</span>;
}

function Whole({ link, mayRetry }: { readonly link: AppointmentLinkJson; readonly mayRetry: boolean }): ReactElement {
  const { t } = useHost();
  const retry = useRetry();
  return (
    <>
      <Words link={link} />
      {link.syncStatus === "error" && mayRetry ? (
        <Action weight="quiet" isPending={retry.isPending} onPress={() => retry.mutate([link.appointmentId])}>
          {t("common.retry")}
        </Action>
      ) : null}
      {link.htmlLink === null ? null : <GoogleLink href={link.htmlLink} />}
      <span role="status">{retry.error ? failureText(retry.error, t) : null}</span>
    </>
  );
}
