/**
 * What the Cassius front end mounts: the settings pages and the calendar's badge of the Google Calendar integration.
 * It talks to the REST router alone, and never holds a token of Google.
 */
export { AppointmentSyncStatus, type AppointmentSyncStatusProps } from "./appointment/AppointmentSyncStatus";
export { createCalendarClient, type CalendarClient, type ClientOptions } from "./api/client";
export { RequestFailure, type FailureKind } from "./api/failure";
export { GoogleCalendarBadge } from "./badge/GoogleCalendarBadge";
export { GoogleCalendarPage, type GoogleCalendarPageProps } from "./google/GoogleCalendarPage";
export { CalendarProvider, type CalendarProviderProps } from "./host/CalendarProvider";
export { DEFAULT_PATHS, type LinkProps, type SettingsPaths } from "./host/host";
export type { Catalogue, MessageKey } from "./i18n/catalogue";
export type { Locale } from "./i18n/message";
export { IntegrationCard, type IntegrationCardProps } from "./integrations/IntegrationCard";
export { IntegrationsPage, type IntegrationsPageProps } from "./integrations/IntegrationsPage";
export { useAppointmentLink } from "./query/linkOf";
export {
  useCompare,
  useConnect,
  useDisconnect,
  useErase,
  useRetry,
  useSyncNow,
  useUpdateSettings,
} from "./query/mutations";
export { useCalendars, useLinksInError, usePreview, type LinksInError } from "./query/queries";
export { useStatus, type StatusView } from "./query/useStatus";
export type { SettingsDestination } from "./settings/destinations";
export { SettingsLayout, type SettingsLayoutProps } from "./settings/SettingsLayout";
export { SettingsOverview, type SettingsOverviewProps } from "./settings/SettingsOverview";
export type * from "./wire";
