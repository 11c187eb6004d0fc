/**
 * The service's messages as the JSON of `types.ts`.
 *
 * An allow list: each field is named here one by one, so that a field which the wire gains later reaches no browser
 * by itself.
 */
import { durationMs, timestampDate, type Timestamp } from "@bufbuild/protobuf/wkt";

import {
  AccountSearch,
  SyncStatus,
  type AppointmentLink,
  type GoogleCall,
  type LinkError,
} from "../gen/cassius/calendar/v1/appointment_sync_pb.js";
import {
  CalendarAccessRole,
  GrantEnd,
  IntegrationState,
  ProblemAction,
  RemoteEvents,
  TitlePrivacy,
  type AuditEvent,
  type Calendar,
  type CatchUp,
  type DisconnectProgress,
  type EventPreview,
  type IntegrationStatus,
  type PendingAccount,
  type Problem,
  type SyncNowResponse,
} from "../gen/cassius/calendar/v1/calendar_integration_pb.js";
import { reasonName } from "../error.js";
import type {
  AccessRoleJson,
  AccountSearchJson,
  AppointmentLinkJson,
  CalendarJson,
  CatchUpJson,
  ComparisonJson,
  DisconnectProgressJson,
  EventPreviewJson,
  GrantEndJson,
  GoogleCallJson,
  IntegrationStateJson,
  IntegrationStatusJson,
  JournalEntryJson,
  LinkErrorJson,
  PendingAccountJson,
  ProblemActionJson,
  ProblemJson,
  RemoteEventsJson,
  SyncStatusJson,
  TitlePrivacyJson,
} from "./types.js";

const STATE: Record<IntegrationState, IntegrationStateJson> = {
  [IntegrationState.UNSPECIFIED]: "not_connected",
  [IntegrationState.NOT_CONNECTED]: "not_connected",
  [IntegrationState.CONNECTED]: "connected",
  [IntegrationState.ERROR]: "error",
  [IntegrationState.DISCONNECTING]: "disconnecting",
};

const PRIVACY: Record<TitlePrivacy, TitlePrivacyJson> = {
  [TitlePrivacy.UNSPECIFIED]: "full",
  [TitlePrivacy.FULL]: "full",
  [TitlePrivacy.INITIALS]: "initials",
  [TitlePrivacy.MASKED]: "masked",
};

const ACTION: Record<ProblemAction, ProblemActionJson> = {
  [ProblemAction.UNSPECIFIED]: "none",
  [ProblemAction.RECONNECT]: "reconnect",
  [ProblemAction.CHOOSE_CALENDAR]: "choose_calendar",
  [ProblemAction.WAIT]: "wait",
  [ProblemAction.CONTACT_OPERATOR]: "contact_operator",
};

const SYNC: Record<SyncStatus, SyncStatusJson> = {
  [SyncStatus.UNSPECIFIED]: "none",
  [SyncStatus.NONE]: "none",
  [SyncStatus.PENDING]: "pending",
  [SyncStatus.SYNCED]: "synced",
  [SyncStatus.ERROR]: "error",
};

/** A title privacy on its way to the service. */
export const PRIVACY_TO_WIRE: Record<TitlePrivacyJson, TitlePrivacy> = {
  full: TitlePrivacy.FULL,
  initials: TitlePrivacy.INITIALS,
  masked: TitlePrivacy.MASKED,
};

/** A sync status, as a filter, on its way to the service. */
export const SYNC_TO_WIRE: Record<SyncStatusJson, SyncStatus> = {
  none: SyncStatus.NONE,
  pending: SyncStatus.PENDING,
  synced: SyncStatus.SYNCED,
  error: SyncStatus.ERROR,
};

/** What happens to the events at Google, on its way to the service. */
export const REMOTE_EVENTS_TO_WIRE: Record<RemoteEventsJson, RemoteEvents> = {
  keep: RemoteEvents.KEEP,
  delete_upcoming: RemoteEvents.DELETE_UPCOMING,
  delete_all: RemoteEvents.DELETE_ALL,
};

const ACCESS_ROLE: Record<CalendarAccessRole, AccessRoleJson | null> = {
  [CalendarAccessRole.UNSPECIFIED]: null,
  [CalendarAccessRole.WRITER]: "writer",
  [CalendarAccessRole.OWNER]: "owner",
};

const GRANT_END: Record<GrantEnd, GrantEndJson | null> = {
  [GrantEnd.UNSPECIFIED]: null,
  [GrantEnd.REVOKED]: "revoked",
  [GrantEnd.SHARED]: "shared",
  [GrantEnd.PENDING]: "pending",
  [GrantEnd.REFUSED]: "refused",
};

/** What became of a grant. */
export function grantEndJson(end: GrantEnd): GrantEndJson | null {
  return known(GRANT_END, end, null);
}

const ACCOUNT_SEARCH: Record<AccountSearch, AccountSearchJson | null> = {
  [AccountSearch.UNSPECIFIED]: null,
  [AccountSearch.WHOLE]: "whole",
  [AccountSearch.PARTIAL]: "partial",
};

/** How much of an account was searched. */
export function accountSearchJson(search: AccountSearch): AccountSearchJson | null {
  return known(ACCOUNT_SEARCH, search, null);
}

/** What a dry run found. */
export function comparisonJson(answer: SyncNowResponse): ComparisonJson {
  const { dueCount, remoteCount, missingCount, alteredCount, surplusCount, newerCount, isPartial } = answer;
  return { dueCount, remoteCount, missingCount, alteredCount, surplusCount, newerCount, isPartial };
}

/** How the integration stands. An absent message is an integration that nobody connected. */
export function statusJson(status: IntegrationStatus | undefined): IntegrationStatusJson {
  return {
    state: known(STATE, status?.state, "error"),
    googleEmail: textOrNull(status?.googleEmail),
    calendar: status?.calendar ? calendarJson(status.calendar) : null,
    isEnabled: status?.isEnabled ?? false,
    titlePrivacy: known(PRIVACY, status?.titlePrivacy, "masked"),
    connectTime: instant(status?.connectTime),
    lastSyncTime: instant(status?.lastSyncTime),
    counts: {
      pending: status?.counts?.pending ?? 0,
      synced: status?.counts?.synced ?? 0,
      error: status?.counts?.error ?? 0,
      upcomingEvents: status?.counts?.upcomingEvents ?? 0,
      unsent: status?.counts?.unsent ?? 0,
    },
    catchUp: status?.catchUp ? catchUpJson(status.catchUp) : null,
    problem: status?.problem ? problemJson(status.problem) : null,
    disconnect: status?.disconnect ? disconnectJson(status.disconnect) : null,
    pendingAccount: status?.pendingAccount ? pendingAccountJson(status.pendingAccount) : null,
    behindCount: status?.behindCount ?? 0,
  };
}

/** A calendar. */
export function calendarJson(calendar: Calendar): CalendarJson {
  return {
    id: calendar.id,
    name: calendar.name,
    timeZone: textOrNull(calendar.timeZone),
    color: textOrNull(calendar.color),
    isPrimary: calendar.isPrimary,
    accessRole: known(ACCESS_ROLE, calendar.accessRole, null),
  };
}

/** How one appointment stands. */
export function linkJson(link: AppointmentLink): AppointmentLinkJson {
  return {
    appointmentId: link.appointmentId,
    syncStatus: known(SYNC, link.syncStatus, "none"),
    externalCalendarId: textOrNull(link.externalCalendarId),
    externalEventId: textOrNull(link.externalEventId),
    htmlLink: textOrNull(link.htmlLink),
    startTime: instant(link.startTime),
    endTime: instant(link.endTime),
    lastSyncTime: instant(link.lastSyncTime),
    nextAttemptTime: instant(link.nextAttemptTime),
    lastError: link.lastError ? linkErrorJson(link.lastError) : null,
  };
}

/** Something that somebody did. The key that it was done with, and the incident, are no matter of a page. */
export function journalEntryJson({ eventTime, actor, action, outcome }: AuditEvent): JournalEntryJson {
  return { time: instant(eventTime), actor: textOrNull(actor), action, outcome };
}

/** A call of Google. */
export function googleCallJson({ callTime, method, answer, duration }: GoogleCall): GoogleCallJson {
  return { time: instant(callTime), method, answer, durationMs: duration === undefined ? 0 : durationMs(duration) };
}

/** An event as it would be written. */
export function previewJson(event: EventPreview | undefined): EventPreviewJson {
  return {
    title: event?.title ?? "",
    description: event?.description ?? "",
    location: textOrNull(event?.location),
    startTime: instant(event?.startTime),
    endTime: instant(event?.endTime),
    timeZone: textOrNull(event?.timeZone),
    url: textOrNull(event?.url),
  };
}

/** An instant in ISO 8601; `null` if it is absent. */
export function instant(timestamp: Timestamp | undefined): string | null {
  return timestamp === undefined ? null : timestampDate(timestamp).toISOString();
}

function catchUpJson(catchUp: CatchUp): CatchUpJson {
  return { total: catchUp.total, done: catchUp.done, failed: catchUp.failed, startTime: instant(catchUp.startTime) };
}

function disconnectJson({ total, done, failed, startTime }: DisconnectProgress): DisconnectProgressJson {
  return { total, done, failed, startTime: instant(startTime) };
}

function pendingAccountJson(account: PendingAccount): PendingAccountJson {
  return {
    googleEmail: account.googleEmail,
    upcomingEventCount: account.upcomingEventCount,
    expireTime: instant(account.expireTime),
  };
}

function problemJson(problem: Problem): ProblemJson {
  return {
    reason: reasonName(problem.reason),
    message: problem.message,
    action: known(ACTION, problem.action, "none"),
    sinceTime: instant(problem.sinceTime),
    retryTime: instant(problem.retryTime),
  };
}

function linkErrorJson(error: LinkError): LinkErrorJson {
  return { reason: reasonName(error.reason), message: error.message, retryable: error.retryable };
}

// An open enum may hold a value that is newer than this client.
function known<E extends number, J>(words: Record<E, J>, value: E | undefined, unknownWord: J): J {
  if (value === undefined) return (words as Record<number, J>)[0] as J;
  return (words as Record<number, J | undefined>)[value] ?? unknownWord;
}

function textOrNull(text: string | undefined): string | null {
  return text === undefined || text === "" ? null : text;
}
