/** Answers of the router with made-up people and ids, one for each state that the components draw. */
import type {
  AppointmentLinkJson,
  CalendarJson,
  CatchUpJson,
  ComparisonJson,
  EventPreviewJson,
  GoogleCallJson,
  JournalEntryJson,
  IntegrationStatusJson,
  ProblemJson,
  TitlePrivacyJson,
} from "../src/wire";

const MINUTE_MS = 60_000;

/** Answers the instant that many minutes from now. */
export function inMinutes(minutes: number): string {
  return new Date(Date.now() + minutes * MINUTE_MS).toISOString();
}

export const calendars: CalendarJson[] = [
  {
    id: "cabinet.lilas@example.com",
    name: "Cabinet des Lilas",
    timeZone: "Europe/Paris",
    color: "#3f7fe0",
    isPrimary: true,
    accessRole: "owner",
  },
  {
    id: "c_bloc7f2k@group.calendar.example.com",
    name: "Bloc implantaire",
    timeZone: "Europe/Paris",
    color: "#0f9d76",
    isPrimary: false,
    accessRole: "owner",
  },
  {
    id: "c_hyg41m9x@group.calendar.example.com",
    name: "Hygiène et contrôles",
    timeZone: "Europe/Paris",
    color: "#c2542d",
    isPrimary: false,
    accessRole: "writer",
  },
];

const [primary] = calendars;

export const inStep: ComparisonJson = {
  dueCount: 37,
  remoteCount: 37,
  missingCount: 0,
  alteredCount: 0,
  surplusCount: 0,
  newerCount: 0,
  isPartial: false,
};

export const differing: ComparisonJson = { ...inStep, remoteCount: 38, missingCount: 1, surplusCount: 2 };

export const notConnected: IntegrationStatusJson = {
  state: "not_connected",
  googleEmail: null,
  calendar: null,
  isEnabled: false,
  titlePrivacy: "full",
  connectTime: null,
  lastSyncTime: null,
  counts: { pending: 0, synced: 0, error: 0, upcomingEvents: 0, unsent: 0 },
  catchUp: null,
  problem: null,
  disconnect: null,
  pendingAccount: null,
  behindCount: 0,
};

export const connected: IntegrationStatusJson = {
  ...notConnected,
  state: "connected",
  googleEmail: "cabinet.lilas@example.com",
  calendar: primary ?? null,
  isEnabled: true,
  connectTime: "2026-03-03T09:12:00Z",
  lastSyncTime: inMinutes(-5),
  counts: { pending: 3, synced: 1248, error: 0, upcomingEvents: 86, unsent: 0 },
};

const catchUp: CatchUpJson = { total: 450, done: 187, failed: 0, startTime: inMinutes(-2) };

export const syncing: IntegrationStatusJson = {
  ...connected,
  counts: { ...connected.counts, pending: 263 },
  catchUp,
};

/** A catch-up of which some were refused, and which goes on. */
export const refusedWhileSyncing: IntegrationStatusJson = {
  ...syncing,
  counts: { ...syncing.counts, pending: 260, error: 3 },
  catchUp: { ...catchUp, failed: 3 },
};

export const paused: IntegrationStatusJson = { ...connected, isEnabled: false };

export const neverSynced: IntegrationStatusJson = {
  ...connected,
  connectTime: inMinutes(-1),
  lastSyncTime: null,
  counts: notConnected.counts,
};

/** Just connected for the first time: what is to come waits for the person's word. */
export const firstConnected: IntegrationStatusJson = {
  ...neverSynced,
  counts: { ...notConnected.counts, unsent: 37 },
};

function problem(given: Partial<ProblemJson> & Pick<ProblemJson, "reason" | "action">): ProblemJson {
  return { message: "", sinceTime: inMinutes(-180), retryTime: null, ...given };
}

export const throttled: IntegrationStatusJson = {
  ...connected,
  counts: { ...connected.counts, pending: 212 },
  problem: problem({ reason: "GOOGLE_THROTTLED", action: "wait", retryTime: inMinutes(4) }),
};

export const reconnectNeeded: IntegrationStatusJson = {
  ...connected,
  state: "error",
  counts: { ...connected.counts, pending: 14 },
  problem: problem({ reason: "RECONNECT_REQUIRED", action: "reconnect" }),
};

export const calendarGone: IntegrationStatusJson = {
  ...connected,
  state: "error",
  calendar: {
    id: "c_old09zz@group.calendar.example.com",
    name: "Ancien calendrier",
    timeZone: null,
    color: null,
    isPrimary: false,
    accessRole: null,
  },
  problem: problem({ reason: "CALENDAR_UNAVAILABLE", action: "choose_calendar" }),
};

export const misconfigured: IntegrationStatusJson = {
  ...connected,
  state: "error",
  problem: problem({ reason: "GOOGLE_MISCONFIGURED", action: "contact_operator" }),
};

export const keyringIncomplete: IntegrationStatusJson = {
  ...connected,
  state: "error",
  problem: problem({ reason: "KEYRING_INCOMPLETE", action: "contact_operator" }),
};

export const accountUnavailable: IntegrationStatusJson = {
  ...connected,
  state: "error",
  problem: problem({ reason: "ACCOUNT_UNAVAILABLE", action: "contact_operator" }),
};

export const internal: IntegrationStatusJson = {
  ...connected,
  state: "error",
  problem: problem({ reason: "INTERNAL", action: "contact_operator" }),
};

/** Google does not answer, and when the next try is is not known. */
export const googleAway: IntegrationStatusJson = {
  ...connected,
  problem: problem({ reason: "GOOGLE_UNAVAILABLE", action: "wait" }),
};

/** Some refused, while the rest waits. */
export const refusedWhileThrottled: IntegrationStatusJson = {
  ...throttled,
  counts: { ...throttled.counts, error: 3, unsent: 12 },
};

/** A pause with everything in it that can be counted. */
export const pausedWithAll: IntegrationStatusJson = {
  ...connected,
  isEnabled: false,
  counts: { pending: 1_104, synced: 12_480, error: 36, upcomingEvents: 1_086, unsent: 1_237 },
};

/** Google is ahead of the service, which was restored from a backup. */
export const behind: IntegrationStatusJson = { ...connected, behindCount: 14 };

/** A disconnect that has no event to delete. */
export const endingAtOnce: IntegrationStatusJson = {
  ...connected,
  state: "disconnecting",
  disconnect: { total: 0, done: 0, failed: 0, startTime: inMinutes(0) },
};

export const disconnecting: IntegrationStatusJson = {
  ...connected,
  state: "disconnecting",
  disconnect: { total: 86, done: 31, failed: 0, startTime: inMinutes(-1) },
};

export const otherAccount: IntegrationStatusJson = {
  ...connected,
  pendingAccount: { googleEmail: "accueil.lilas@example.com", upcomingEventCount: 86, expireTime: inMinutes(14) },
};

/** The same question where the connected account has lost its grant, about an address that is long. */
export const otherAccountForLost: IntegrationStatusJson = {
  ...reconnectNeeded,
  pendingAccount: {
    googleEmail: "docteur.morel@implantologie-des-lilas.example",
    upcomingEventCount: 86,
    expireTime: inMinutes(14),
  },
};

export const linksInError: AppointmentLinkJson[] = [1, 2, 3].map((nth) => ({
  appointmentId: `rdv_01J9ZC4T8Q${nth}M7XKD`,
  syncStatus: "error",
  externalCalendarId: null,
  externalEventId: null,
  htmlLink: null,
  startTime: nth === 3 ? null : inMinutes(nth * 1_570),
  endTime: null,
  lastSyncTime: null,
  nextAttemptTime: null,
  lastError: { reason: "EVENT_REFUSED", message: "", retryable: false },
}));

/** The last acts, one of each kind. */
export const journal: JournalEntryJson[] = [
  { time: inMinutes(-5), actor: "camille", action: "UpdateSettings", outcome: "OK" },
  { time: inMinutes(-50), actor: "camille", action: "SyncNow", outcome: "RECONNECT_REQUIRED" },
  { time: inMinutes(-60), actor: null, action: "CompleteConsent", outcome: "connected" },
  { time: inMinutes(-61), actor: "camille", action: "BeginConnect", outcome: "OK" },
];

/** The latest calls for an appointment that was refused. */
export const history: GoogleCallJson[] = [
  { time: inMinutes(-6), method: "events.insert", answer: "refused", durationMs: 84 },
  { time: inMinutes(-7), method: "events.insert", answer: "unavailable", durationMs: 10_000 },
];

/** One appointment for each way in which one stands, by that as its id. */
export const links: AppointmentLinkJson[] = (
  [
    ["synced", "synced", true],
    ["pending", "pending", false],
    ["error", "error", false],
    ["none", "none", false],
    ["called-off", "synced", false],
    ["outdated", "none", true],
  ] as const
).map(([appointmentId, syncStatus, isThere]) => ({
  appointmentId,
  syncStatus,
  externalCalendarId: isThere ? "cabinet.lilas@example.com" : null,
  externalEventId: isThere ? "2b8f0c1d9e" : null,
  htmlLink: isThere ? "https://calendar.example.com/event" : null,
  startTime: inMinutes(1_570),
  endTime: null,
  lastSyncTime: syncStatus === "synced" ? inMinutes(-90) : null,
  nextAttemptTime: null,
  lastError: null,
}));

export const someRefused: IntegrationStatusJson = {
  ...connected,
  counts: { ...connected.counts, error: linksInError.length },
};

const TITLES: Readonly<Record<TitlePrivacyJson, string>> = {
  full: "[Cassius] Implant — Marie Durand",
  initials: "[Cassius] Implant — M. D.",
  masked: "[Cassius] Rendez-vous",
};

/** Answers the sample event with a title of that privacy. */
export function preview(titlePrivacy: TitlePrivacyJson): EventPreviewJson {
  return {
    title: TITLES[titlePrivacy],
    description: 'Praticien : Dr Hélène Morel<br><a href="https://cassius.example.com/rdv/1">Ouvrir dans Cassius</a>',
    location: "Cabinet des Lilas, salle 2",
    startTime: "2026-03-12T13:30:00Z",
    endTime: "2026-03-12T14:15:00Z",
    timeZone: "Europe/Paris",
    url: "https://cassius.example.com/rdv/1",
  };
}
