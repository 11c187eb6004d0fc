/** The gallery: `?view=google&state=syncing&theme=dark&locale=en` shows one state; without `view`, whichever is chosen. */
import { StrictMode, useState, type ReactElement } from "react";
import { createRoot } from "react-dom/client";
import {
  AppointmentSyncStatus,
  CalendarProvider,
  GoogleCalendarBadge,
  GoogleCalendarPage,
  IntegrationsPage,
  SettingsLayout,
} from "../src";
import { resolveLocale } from "../src/i18n/message";
import "../src/styles/index.css";
import "./gallery.css";
import { clientOf, scenarios, type Scenario } from "./scenarios";

const query = new URLSearchParams(window.location.search);
const locale = resolveLocale(query.get("locale") ?? "fr");
const theme = query.get("theme");
document.documentElement.lang = locale;
if (theme !== null) document.documentElement.style.colorScheme = theme;

function View({ scenario, view }: { readonly scenario: Scenario; readonly view: string }): ReactElement {
  const [client] = useState(() => clientOf(scenario, locale));
  const [path, setPath] = useState(
    view === "integrations" ? "/settings/integrations" : "/settings/integrations/google-calendar",
  );
  return (
    <CalendarProvider client={client} locale={locale} navigate={setPath} redirect={() => undefined}>
      <SettingsLayout currentPath={path}>
        {path === "/settings/integrations/google-calendar" ? <GoogleCalendarPage /> : null}
        {path === "/settings/integrations" ? <IntegrationsPage /> : null}
        {path.startsWith("/settings/integrations") ? null : <h1>{path}</h1>}
      </SettingsLayout>
    </CalendarProvider>
  );
}

function Badges(): ReactElement {
  return (
    <div className="gallery">
      <h1>Badge</h1>
      {Object.entries(scenarios)
        .filter(([name]) => !name.startsWith("outcome") && (name === "offline") === (query.get("state") === "offline"))
        .map(([name, scenario]) => (
          <Toolbar key={name} name={name} scenario={scenario} />
        ))}
    </div>
  );
}

function Toolbar({ name, scenario }: { readonly name: string; readonly scenario: Scenario }): ReactElement {
  const [client] = useState(() => clientOf(scenario, locale));
  return (
    <CalendarProvider client={client} locale={locale} navigate={() => undefined}>
      <div className="gallery-toolbar">
        <span>{name}</span>
        <GoogleCalendarBadge />
      </div>
    </CalendarProvider>
  );
}

const VIEWS = ["google", "integrations", "badge", "appointment"];
const WIDTHS = ["320", "768", "1280"];

/** Every component in every state, in the theme, width and language that are chosen. */
function Contents(): ReactElement {
  const [shown, setShown] = useState({
    view: "google",
    state: "connected",
    theme: "light",
    locale: "fr",
    width: "1280",
  });
  const { width, ...asked } = shown;
  const choose = (name: keyof typeof shown, values: readonly string[]) => (
    <label>
      {name}{" "}
      <select value={shown[name]} onChange={(event) => setShown({ ...shown, [name]: event.target.value })}>
        {values.map((value) => (
          <option key={value}>{value}</option>
        ))}
      </select>
    </label>
  );
  return (
    <div className="gallery-contents">
      <h1>Galerie</h1>
      <div className="gallery-toolbar">
        {choose("view", VIEWS)}
        {choose("state", Object.keys(scenarios))}
        {choose("theme", ["light", "dark"])}
        {choose("width", WIDTHS)}
        {choose("locale", ["fr", "en"])}
      </div>
      <iframe title={`${shown.view}, ${shown.state}`} src={`?${new URLSearchParams(asked).toString()}`} width={width} />
    </div>
  );
}

/** How single appointments stand, as a form and as a grid show it. */
function Appointments({ scenario }: { readonly scenario: Scenario }): ReactElement {
  const [client] = useState(() => clientOf(scenario, locale));
  return (
    <CalendarProvider client={client} locale={locale} navigate={() => undefined}>
      <div className="gallery">
        <h1>Rendez-vous</h1>
        {["synced", "pending", "error", "none"].map((id) => (
          <div key={id} className="gallery-toolbar">
            <span>
              {id} <AppointmentSyncStatus id={id} isCompact />
            </span>
            <AppointmentSyncStatus id={id} />
          </div>
        ))}
      </div>
    </CalendarProvider>
  );
}

function Gallery(): ReactElement {
  const view = query.get("view");
  const scenario = scenarios[query.get("state") ?? "connected"];
  if (view === null || !scenario) return <Contents />;
  if (view === "appointment") return <Appointments scenario={scenario} />;
  return view === "badge" ? <Badges /> : <View scenario={scenario} view={view} />;
}

/** Takes the network away once the page has its first answers, as a train in a tunnel would. */
function takeNetworkAway(): void {
  Object.defineProperty(navigator, "onLine", { value: false });
  window.dispatchEvent(new Event("offline"));
}

const scenario = scenarios[query.get("state") ?? ""];
if (scenario?.isOffline) setTimeout(takeNetworkAway, 300);
if (scenario?.outcome !== undefined && !query.has("google")) {
  query.set("google", scenario.outcome);
  window.history.replaceState(null, "", `?${query.toString()}`);
}

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <main>
        <Gallery />
      </main>
    </StrictMode>,
  );
}
