/**
 * The JSON that the pages read and write, named by the router that speaks it.
 * Types alone: nothing of the backend's package reaches a browser.
 */
export type {
  AppointmentLinkJson,
  BeginConnectAnswer,
  BeginConnectBody,
  CalendarJson,
  CalendarsAnswer,
  CatchUpJson,
  ConnectOutcome,
  DisconnectAnswer,
  DisconnectBody,
  ErrorAnswer,
  EventPreviewJson,
  IntegrationStatusJson,
  LinkErrorJson,
  LinksAnswer,
  LinksQuery,
  PreviewAnswer,
  PreviewBody,
  ProblemJson,
  ReasonJson,
  RemoteEventsJson,
  RetryAnswer,
  RetryBody,
  SettingsAnswer,
  SettingsBody,
  StatusAnswer,
  SyncNowAnswer,
  TitlePrivacyJson,
} from "@cassius/calendar-client/rest/types";
