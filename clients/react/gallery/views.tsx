/** What the gallery shows of one state: a page, as somebody sees it who may only look, the badge in every state, or appointments. */
import { useIsFetching, type QueryClient } from "@tanstack/react-query";
import { useEffect, useState, type ReactElement } from "react";
import {
  AppointmentSyncStatus,
  CalendarProvider,
  GoogleCalendarBadge,
  GoogleCalendarPage,
  IntegrationsPage,
  SettingsLayout,
  SettingsOverview,
  type Locale,
} from "../src";
import type { CalendarClient } from "../src/api/client";
import { useHost } from "../src/host/host";
import { useStatus, type StatusView } from "../src/query/useStatus";
import { links } from "./samples";
import { played, scenarios, type Scenario } from "./scenarios";

/** Every view, by name. */
export const VIEWS = ["google", "looking", "integrations", "overview", "badge", "appointment"] as const;

const PATHS: Readonly<Record<string, string>> = { integrations: "/settings/integrations", overview: "/settings" };
const GOOGLE_PATH = "/settings/integrations/google-calendar";

/** What a view is drawn from. */
export interface ViewProps {
  readonly view: string;
  /** The name of the state. */
  readonly state: string;
  readonly locale: Locale;
  readonly queryClient?: QueryClient;
}

/** One view of one state; `null` where there is no such state. */
export function View({ view, state, locale, queryClient }: ViewProps): ReactElement | null {
  const scenario = scenarios[state];
  if (!scenario) return null;
  const shown = { scenario, locale, ...(queryClient && { queryClient }) };
  if (view === "appointment") return <Appointments {...shown} />;
  return view === "badge" ? (
    <Badges isOffline={state === "offline"} locale={locale} />
  ) : (
    <Page {...shown} view={view} />
  );
}

/** Plays a scenario, and goes over into another one when the window is told: `postMessage({ becomes: "paused" })`. */
function usePlayed(first: Scenario, locale: Locale): { readonly client: CalendarClient; readonly scenario: Scenario } {
  const [{ client, becomes }] = useState(() => played(first, locale));
  const [scenario, setScenario] = useState(first);
  useEffect(() => {
    const follow = ({ data }: MessageEvent<{ readonly becomes?: string } | null>) => {
      const next = scenarios[data?.becomes ?? ""];
      if (!next) return;
      setScenario(next);
      becomes(next);
    };
    window.addEventListener("message", follow);
    return () => window.removeEventListener("message", follow);
  }, [becomes]);
  return { client, scenario };
}

/**
 * Tells by `data-shown` of the document which state is drawn, once it is and everything that the page asks is answered:
 * however slow the machine is, whoever plays with the states can wait for that. It stands after the page that asks.
 */
function Shown({ scenario }: { readonly scenario: Scenario }): null {
  const { queryClient } = useHost();
  const view = useStatus();
  useIsFetching({}, queryClient);
  useEffect(() => {
    const { dataset } = document.documentElement;
    const name = Object.entries(scenarios).find(([, each]) => each === scenario)?.[0];
    if (name !== undefined && isDrawn(scenario, view) && queryClient.isFetching() === 0) dataset["shown"] = name;
    else delete dataset["shown"];
  });
  return null;
}

function isDrawn({ status, failing, isServiceAway, isOffline }: Scenario, view: StatusView): boolean {
  if (isOffline === true || !view.isOnline) return isOffline === true && !view.isOnline;
  if (isServiceAway === true || view.isUnavailable) return isServiceAway === true && view.isUnavailable;
  if (failing?.["status"] !== undefined) return view.failure !== null;
  return view.failure === null && JSON.stringify(view.status) === JSON.stringify(status);
}

interface Given {
  readonly scenario: Scenario;
  readonly locale: Locale;
  readonly queryClient?: QueryClient;
}

function Page({ scenario: first, locale, view, ...given }: Given & { readonly view: string }): ReactElement {
  const { client, scenario } = usePlayed(first, locale);
  const [path, setPath] = useState(PATHS[view] ?? GOOGLE_PATH);
  const isLooking = view === "looking";
  const pages: Readonly<Record<string, ReactElement>> = {
    [GOOGLE_PATH]: <GoogleCalendarPage mayErase={!isLooking} mayChange={!isLooking} />,
    "/settings/integrations": <IntegrationsPage />,
    "/settings": <SettingsOverview summaries={{ "/settings/profile": "Dr Camille Roche" }} />,
  };
  return (
    <CalendarProvider client={client} locale={locale} navigate={setPath} redirect={() => undefined} {...given}>
      <SettingsLayout currentPath={path}>{pages[path] ?? <h1>{path}</h1>}</SettingsLayout>
      <Shown scenario={scenario} />
    </CalendarProvider>
  );
}

function Badges({ isOffline, locale }: { readonly isOffline: boolean; readonly locale: Locale }): ReactElement {
  return (
    <div className="gallery">
      <h1>Badge</h1>
      {Object.entries(scenarios)
        .filter(([name]) => !name.startsWith("outcome") && (name === "offline") === isOffline)
        .map(([name, scenario]) => (
          <Toolbar key={name} name={name} scenario={scenario} locale={locale} />
        ))}
    </div>
  );
}

function Toolbar({ name, scenario, locale }: Given & { readonly name: string }): ReactElement {
  const { client } = usePlayed(scenario, locale);
  return (
    <CalendarProvider client={client} locale={locale} navigate={() => undefined}>
      <div className="gallery-toolbar">
        <span>{name}</span>
        <GoogleCalendarBadge />
      </div>
    </CalendarProvider>
  );
}

/** How single appointments stand, as a form and as a grid show it. */
function Appointments({ scenario, locale, ...given }: Given): ReactElement {
  const { client } = usePlayed(scenario, locale);
  return (
    <CalendarProvider client={client} locale={locale} navigate={() => undefined} {...given}>
      <div className="gallery">
        <h1>Rendez-vous</h1>
        {links.map(({ appointmentId: id }) => (
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
