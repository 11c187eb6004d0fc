import {
  CalendarProvider,
  GoogleCalendarBadge,
  GoogleCalendarPage,
  IntegrationsPage,
  SettingsLayout,
  type IntegrationStatusJson,
} from "@cassius/calendar-react";
import "@cassius/calendar-react/styles.css";
import { createRoot } from "react-dom/client";

// The JSON of the router has its types without the backend's package.
export const states: IntegrationStatusJson["state"][] = ["connected", "error"];
// @ts-expect-error -- and they are no `any`
export const wrong: IntegrationStatusJson["state"] = "none of them";

createRoot(document.getElementById("root") as HTMLElement).render(
  <CalendarProvider locale="fr">
    <GoogleCalendarBadge />
    <SettingsLayout currentPath={window.location.pathname}>
      <IntegrationsPage />
      <GoogleCalendarPage />
    </SettingsLayout>
  </CalendarProvider>,
);
