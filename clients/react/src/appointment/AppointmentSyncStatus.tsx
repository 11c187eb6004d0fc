import type { ReactElement } from "react";
import { failureText } from "../google/failureText";
import { useNow } from "../host/browser";
import { useHost } from "../host/host";
import type { Locale, Translate } from "../i18n/message";
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
 * where nothing is connected, and of an appointment that the service has never had. While the service cannot be asked, it
 * says that it tells what was known last.
 */
export function AppointmentSyncStatus(props: AppointmentSyncStatusProps): ReactElement {
  return (
    <PageBoundary fallback={null}>
      <Shown {...props} />
    </PageBoundary>
  );
}

function Shown({ id, isCompact = false, mayRetry = true }: AppointmentSyncStatusProps): ReactElement | null {
  const { t, locale } = useHost();
  const now = useNow();
  const { status, isSignedOut, isLastKnown, failure } = useStatus();
  // Who has lost the right is told nothing more, as by the badge.
  const isTold = !isSignedOut && failure?.kind !== "forbidden";
  const isConnected = status !== undefined && status.state !== "not_connected" && status.state !== "disconnecting";
  const { data: link, isError } = useAppointmentLink(id, isConnected && isTold);
  useLinksFollowing(status);
  if (!isConnected || !isTold || !link) return null;
  // Nobody tells of a change then: as on the pages, what was known last is claimed no more.
  const isStale = isLastKnown || isError;
  const known = wordsOf(link, now, t, locale);
  const words = isStale ? t("appointment.lastKnown", { status: known }) : known;
  return (
    <span className={`cassius-calendar cc-appointment cc-tone-${isStale ? "neutral" : TONES[shownStatus(link)]}`}>
      <span className="cc-appointment-dot" aria-hidden="true" title={words} />
      <span className={isCompact ? "cc-hidden" : undefined}>{words}</span>
      {isCompact ? null : <Actions link={link} mayRetry={mayRetry} />}
    </span>
  );
}

function wordsOf(link: AppointmentLinkJson, now: Date, t: Translate, locale: Locale): string {
  const shown = shownStatus(link);
  if (shown !== "synced" || link.lastSyncTime === null) return t(`appointment.${shown}`);
  return t("appointment.syncedSince", { time: timeOfDay(new Date(link.lastSyncTime), now, locale) });
}

function Actions({ link, mayRetry }: { readonly link: AppointmentLinkJson; readonly mayRetry: boolean }): ReactElement {
  const { t } = useHost();
  const retry = useRetry();
  return (
    <>
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
