import { CalendarProvider, GoogleCalendarBadge, GoogleCalendarPage, SettingsLayout } from "@cassius/calendar-react";

/** A component of the server: what it mounts says by itself that it is the browser's. */
export default function Page() {
  return (
    <CalendarProvider locale="fr">
      <GoogleCalendarBadge />
      <SettingsLayout currentPath="/settings/integrations/google-calendar">
        <GoogleCalendarPage />
      </SettingsLayout>
    </CalendarProvider>
  );
}
