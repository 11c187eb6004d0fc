/**
 * The JSON that the router under `/api/integrations/google/` takes and answers.
 *
 * It owns the shapes alone: no code, no import, so that a browser bundle may take its types from here at no cost.
 * Its invariant: what is not named here never reaches a browser. Instants are ISO 8601 strings in UTC; a field that may
 * be absent is `null`, never missing.
 */

/** Whether an integration works. */
export type IntegrationStateJson = "not_connected" | "connected" | "error" | "disconnecting";

/** How much of the patient's name an event's title shows. */
export type TitlePrivacyJson = "full" | "initials" | "masked";

/** What a person has to do about a problem; `none` where the service did not say. */
export type ProblemActionJson = "none" | "reconnect" | "choose_calendar" | "wait" | "contact_operator";

/** How an appointment stands at Google. */
export type SyncStatusJson = "none" | "pending" | "synced" | "error";

/** What happens to the events at Google when the account is disconnected. */
export type RemoteEventsJson = "keep" | "delete_upcoming" | "delete_all";

/**
 * What became of Google's permission when the account was disconnected. `shared`: another organisation uses the account,
 * and it goes on; `pending`: Google has not answered, and is asked again for 24 hours; `refused`: a person can end it at
 * https://myaccount.google.com/connections.
 */
export type GrantEndJson = "revoked" | "shared" | "pending" | "refused";

/**
 * How much of an account was searched for events that somebody had moved into another calendar: every calendar that its list
 * shows and that it may write to, or not all of them.
 */
export type AccountSearchJson = "whole" | "partial";

/** The outcome word that the consent's way back adds to the page's URL as `?google=<word>`. */
export type ConnectOutcome =
  | "connected"
  | "denied"
  | "blocked"
  | "missing_scope"
  | "expired"
  /** Another account is connected; the new one is the status's `pendingAccount`. */
  | "other_account"
  /** The account was revoked meanwhile: the next consent succeeds. */
  | "try_again"
  | "failed";

/** The reasons that the service gives; see `error_reason.proto`. */
export type ServiceReason =
  | "INVALID_REQUEST"
  | "INVALID_API_KEY"
  | "ORGANISATION_NOT_ALLOWED"
  | "NOT_CONNECTED"
  | "RECONNECT_REQUIRED"
  | "CALENDAR_UNAVAILABLE"
  | "APPOINTMENT_NOT_FOUND"
  | "GOOGLE_UNAVAILABLE"
  | "GOOGLE_THROTTLED"
  | "EVENT_REFUSED"
  | "GOOGLE_MISCONFIGURED"
  | "ACCOUNT_UNAVAILABLE"
  | "DISCONNECTING"
  | "KEYRING_INCOMPLETE"
  | "NO_PENDING_ACCOUNT"
  | "STORAGE_UNAVAILABLE"
  | "OVERLOADED"
  | "DEADLINE_EXCEEDED"
  | "DRAINING"
  | "INTERNAL";

/** The reasons that the router gives by itself. */
export type RouterReason =
  /** The service could not be reached. 503. */
  | "SERVICE_UNAVAILABLE"
  /** So many pages are followed already that this one has to poll, or so many requests are under way. 503. */
  | "OVERLOADED"
  /** The service did not answer in time. 504. */
  | "DEADLINE_EXCEEDED"
  /** Nobody is signed in to the host. 401. */
  | "NOT_SIGNED_IN"
  /** The person who is signed in may not do this. 403. */
  | "NOT_ALLOWED"
  /** The request comes from another site, or does not say where from. 403. */
  | "CROSS_SITE_REQUEST"
  /** A route that changes something takes `application/json` alone. 415. */
  | "UNSUPPORTED_MEDIA_TYPE"
  /** The body is larger than the router takes. 413. */
  | "BODY_TOO_LARGE"
  /** There is no such route. 404. */
  | "ROUTE_NOT_FOUND"
  /** The route does not take this method. 405. */
  | "METHOD_NOT_ALLOWED";

/** Why a call failed, or what stands in the way. A value may be added: treat an unknown one by the HTTP status. */
export type ReasonJson = ServiceReason | RouterReason | (string & {});

/** A Google calendar that the account may write to. */
export interface CalendarJson {
  /** Its id at Google, never the alias "primary". */
  id: string;
  name: string;
  /** IANA; `null` if Google did not say. */
  timeZone: string | null;
  /** `#rrggbb`; `null` if Google did not say. */
  color: string | null;
  isPrimary: boolean;
  /** What the account may do there. `null` in a status, which does not say, and if Google did not say. */
  accessRole: AccessRoleJson | null;
}

/**
 * What an account may do with a calendar. `writer`: the calendar is somebody else's, who reads what is written there.
 * `owner`: it may be shared with others too, which Google tells nobody here.
 */
export type AccessRoleJson = "owner" | "writer";

/** How many appointments stand how. */
export interface LinkCountsJson {
  pending: number;
  synced: number;
  error: number;
  /** Events at Google of appointments that are not over yet: what a change of calendar moves, what disconnecting deletes. */
  upcomingEvents: number;
  /** Never sent, though they take place and are not over yet: after the first connection they wait for `POST sync-now`. */
  unsent: number;
}

/** The progress of a catch-up or of a move to another calendar. */
export interface CatchUpJson {
  total: number;
  done: number;
  failed: number;
  startTime: string | null;
}

/** The progress of a disconnect: events that are to be deleted at Google. */
export interface DisconnectProgressJson {
  /** 0 when all are kept and none was owed before. */
  total: number;
  done: number;
  /** Those that could not be deleted so far and are not tried again by themselves. */
  failed: number;
  startTime: string | null;
}

/** Another Google account than the connected one, which waits to be confirmed. */
export interface PendingAccountJson {
  googleEmail: string;
  /** Upcoming events in the account before, which are made anew in this one. */
  upcomingEventCount: number;
  /** Until when it can be confirmed. */
  expireTime: string | null;
}

/** What is wrong with the integration. */
export interface ProblemJson {
  reason: ReasonJson;
  /** A sentence for the practice, in the language that the browser asked for. */
  message: string;
  action: ProblemActionJson;
  sinceTime: string | null;
  /** When the service tries again by itself; `null` if it does not. */
  retryTime: string | null;
}

/** How the integration of the caller's organisation stands. */
export interface IntegrationStatusJson {
  state: IntegrationStateJson;
  /** `null` when not connected. */
  googleEmail: string | null;
  /** `null` when not connected. */
  calendar: CalendarJson | null;
  isEnabled: boolean;
  titlePrivacy: TitlePrivacyJson;
  connectTime: string | null;
  lastSyncTime: string | null;
  counts: LinkCountsJson;
  /** `null` when none is under way. */
  catchUp: CatchUpJson | null;
  /** `null` when nothing is wrong. */
  problem: ProblemJson | null;
  /** `null` unless the state is `disconnecting`. */
  disconnect: DisconnectProgressJson | null;
  /** `null` when no other account waits to be confirmed. */
  pendingAccount: PendingAccountJson | null;
  /**
   * How many events at Google are newer than what the service holds, which was restored from an older backup; 0
   * otherwise.
   */
  behindCount: number;
}

/** How one appointment stands at Google. */
export interface AppointmentLinkJson {
  appointmentId: string;
  syncStatus: SyncStatusJson;
  externalCalendarId: string | null;
  externalEventId: string | null;
  htmlLink: string | null;
  startTime: string | null;
  endTime: string | null;
  lastSyncTime: string | null;
  nextAttemptTime: string | null;
  lastError: LinkErrorJson | null;
}

/** Why the latest attempt of an appointment did not succeed. */
export interface LinkErrorJson {
  reason: ReasonJson;
  message: string;
  /** Whether the service goes on by itself, at `nextAttemptTime`. */
  retryable: boolean;
}

/** An event as it would be written. */
export interface EventPreviewJson {
  title: string;
  /** HTML as Google Calendar shows it: text in it is escaped by the service, yet show it through a sanitiser or as text. */
  description: string;
  location: string | null;
  startTime: string | null;
  endTime: string | null;
  timeZone: string | null;
  url: string | null;
}

/** An appointment to preview, as the page has it. */
export interface PreviewAppointmentJson {
  type?: string;
  patientName?: string;
  practitionerName?: string;
  location?: string;
  startTime: string;
  endTime: string;
  timeZone: string;
  url?: string;
}

/** Answer of `GET status`. */
export interface StatusAnswer {
  status: IntegrationStatusJson;
}

/** Answer of `GET calendars`. */
export interface CalendarsAnswer {
  /** The primary one first, then by name. */
  calendars: CalendarJson[];
  /** Whether the account lets its list be read; otherwise the primary one stands alone, and a new consent can allow it. */
  isListPermitted: boolean;
}

/** Body of `POST begin-connect`. */
export interface BeginConnectBody {
  /** Where the browser comes back to: a path of this origin, such as `/settings/integrations/google-calendar`. */
  returnPath?: string;
}

/** Answer of `POST begin-connect`; the cookie travels in `set-cookie` and is not readable by a script. */
export interface BeginConnectAnswer {
  /** Where to send the browser, with a full navigation. */
  connectUrl: string;
  /** Until when the consent can be completed. */
  expireTime: string | null;
}

/** Body of `PATCH settings` (and of `POST settings`): only what is named changes. */
export interface SettingsBody {
  isEnabled?: boolean;
  calendarId?: string;
  titlePrivacy?: TitlePrivacyJson;
}

/** Answer of `PATCH settings`. */
export interface SettingsAnswer {
  status: IntegrationStatusJson;
}

/** Body of `POST preview`. */
export interface PreviewBody {
  /** Absent: the organisation's present one. */
  titlePrivacy?: TitlePrivacyJson;
  /** Absent: a sample of the service. */
  appointment?: PreviewAppointmentJson;
}

/** Answer of `POST preview`. */
export interface PreviewAnswer {
  event: EventPreviewJson;
}

/** Body of `POST sync-now`. */
export interface SyncNowBody {
  /** Counts how the calendar differs from what it should be, and changes nothing; Google is asked within the call. */
  dryRun?: boolean;
}

/** Answer of `POST sync-now`. */
export interface SyncNowAnswer {
  /** How many appointments this call queued; those that were due already do not count. 0 for a dry run. */
  queuedCount: number;
  /** What a dry run found; `null` without one, for then the comparison goes on after the answer. */
  comparison: ComparisonJson | null;
  status: IntegrationStatusJson;
}

/** How the calendar differs from what it should be. */
export interface ComparisonJson {
  /** How many events of upcoming appointments should stand, those that were never sent among them. */
  dueCount: number;
  /** How many upcoming events of the organisation Google lists in the calendars where they may stand. */
  remoteCount: number;
  /** How many of the events that were sent are not there. */
  missingCount: number;
  /** How many of them show something else in the fields that Cassius writes. */
  alteredCount: number;
  /** How many stand that should not: doubled, or of no known appointment. */
  surplusCount: number;
  /** How many show a higher revision than the service holds: a sync leaves them as they are. */
  newerCount: number;
  /** Whether calendars of the account were not looked at, and with them what a person may have moved there. */
  isPartial: boolean;
}

/** Something that somebody did, or tried to do. */
export interface JournalEntryJson {
  time: string | null;
  /** Who, by the id that the host handed on; `null` where it said nothing. */
  actor: string | null;
  /** The method of the service, such as `UpdateSettings`, or `CompleteConsent`. Values may be added. */
  action: string;
  /** `OK`, a reason, or the outcome of a consent. */
  outcome: string;
}

/** Answer of `GET journal`: the last 50 acts, the newest first. */
export interface JournalAnswer {
  entries: JournalEntryJson[];
}

/** A call of Google that was made for an appointment. */
export interface GoogleCallJson {
  time: string | null;
  /** Google's name of the method, such as `events.patch`. */
  method: string;
  /** What the answer means, such as `stored` or `refused`. Values may be added. */
  answer: string;
  durationMs: number;
}

/** Query of `GET history`. */
export interface HistoryQuery {
  appointmentId: string;
}

/** Answer of `GET history`: the latest calls for one appointment, the newest first. */
export interface HistoryAnswer {
  calls: GoogleCallJson[];
}

/** Answer of `POST test-event`, whose body is `{}`: what became of an event of no patient, written and removed again. */
export interface TestEventAnswer {
  /** Whether Google had it. */
  isWritten: boolean;
  /** Whether it is gone again; else the service goes on removing it. */
  isRemoved: boolean;
  /** Why it was not written, where that is known. */
  error: LinkErrorJson | null;
}

/** Body of `POST confirm-account`: about the status's `pendingAccount`. */
export interface ConfirmAccountBody {
  /** Whether it is connected in place of the present one; `false`: it is dropped. */
  accept: boolean;
}

/** Answer of `POST confirm-account`. 409 `NO_PENDING_ACCOUNT`: the account to take no longer waits. */
export interface ConfirmAccountAnswer {
  status: IntegrationStatusJson;
}

/** Body of `POST disconnect`. */
export interface DisconnectBody {
  /** Absent: `keep`. */
  remoteEvents?: RemoteEventsJson;
}

/** Answer of `POST disconnect`, once it has ended or after ten seconds: the state is then `disconnecting`. */
export interface DisconnectAnswer {
  status: IntegrationStatusJson;
  /** Events deleted so far. */
  deletedEventCount: number;
  /**
   * Events still to be deleted, whatever they are owed for. Once the state is `not_connected`: those that stay at Google.
   */
  remainingEventCount: number;
  /** What became of Google's permission; `null` before the state is `not_connected`, and where there was none. */
  grantEnd: GrantEndJson | null;
  /**
   * How much of the account was searched; `null` before the state is `not_connected`, and where nothing was to be
   * deleted.
   */
  search?: AccountSearchJson | null;
}

/** Body of `POST erase`: everything of the organisation, at Google and in the service. */
export interface EraseBody {
  /** Whether events that could not be deleted stay at Google and are forgotten. Looked at once nothing is connected. */
  leaveEvents?: boolean;
}

/**
 * Answer of `POST erase`, once it is done or after ten seconds. It goes on by itself; asked again, it tells how far it
 * is.
 */
export interface EraseAnswer {
  /** Whether the service holds nothing of the organisation any more but its journal. */
  isDone: boolean;
  /** Events still to be deleted. Once the state is `not_connected`: those that could not be. */
  remainingEventCount: number;
  /**
   * How much of the account was searched; `null` before the state is `not_connected`, and once nothing is known any more.
   */
  search?: AccountSearchJson | null;
  status: IntegrationStatusJson;
}

/** Query of `GET links`. */
export interface LinksQuery {
  /** Absent: every status. */
  syncStatus?: SyncStatusJson;
  /** 1 to 1000; absent: 100. */
  pageSize?: number;
  /** `nextPageToken` of the page before. */
  pageToken?: string;
}

/** Body of `POST links`: how these appointments stand. Those that the service never had are left out of the answer. */
export interface LinksBody {
  /** At most 500. */
  appointmentIds: string[];
}

/** Answer of `GET links` and of `POST links`. */
export interface LinksAnswer {
  links: AppointmentLinkJson[];
  /** `null`: this was the last page. */
  nextPageToken: string | null;
}

/** Body of `POST retry`. */
export interface RetryBody {
  /** At most 1000. Absent or empty: all that stand in error. */
  appointmentIds?: string[];
}

/** Answer of `POST retry`. */
export interface RetryAnswer {
  queuedCount: number;
}

/** One field at fault. */
export interface ViolationJson {
  /** The path of the field in the JSON body or the query, such as `appointment.startTime`. */
  field: string;
  description: string;
}

/** Body of every answer that is not 2xx. */
export interface ErrorAnswer {
  reason: ReasonJson;
  /** A sentence for a person, in French, or in English when `accept-language` prefers it. */
  message: string;
  /** Every field at fault, where the request was. */
  violations?: ViolationJson[];
  /** How long to wait before the next try, where one helps. */
  retryAfterMs?: number;
  /** The word to look for in the service's log, after a defect. */
  incident?: string;
}

/**
 * The server-sent events of `GET events`, by their name; `data` is the JSON of the type.
 *
 * The first one follows at once. The stream outlives a restart of the service: `unavailable` tells that the service is
 * away (and why), the next `status` that it is back. `alive` comes in between, so that a page notices when nothing does. An
 * `EventSource` reconnects by itself when the host restarts.
 */
export interface StatusEvents {
  /** How the integration stands now. */
  status: IntegrationStatusJson;
  /** The service cannot be asked at the moment; the router keeps trying. */
  unavailable: ErrorAnswer;
  /** A sign of life. The next event, of whatever name, comes within `nextMs`: a stream that is silent for longer is deaf. */
  alive: { nextMs: number };
}
