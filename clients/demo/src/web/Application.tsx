/**
 * The frame of the demo: a bar with the two places, and who is signed in.
 *
 * The settings pages come from their package; the demo only gives them a place and a way to navigate.
 */
import { CalendarProvider } from "@cassius/calendar-react";
import { useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useCallback, useEffect, useMemo } from "react";
import { Navigate, NavLink, Route, Routes, useNavigate, useParams } from "react-router";

import type { PersonJson } from "../shared/agenda";
import { keepFocus } from "./focus";
import { SIGN_IN, useRdv, useSession, useSignIn } from "./requests";
import { Settings } from "./Settings";
import { SignIn } from "./SignIn";

// The calendar's grid is large: the settings pages do not wait for it.
const Agenda = lazy(() => import("./Agenda"));

/** The whole of the demo. */
export function Application() {
  const session = useSession();
  if (session.isPending) return <div className="app-blank" />;
  if (session.isError) {
    return (
      <main className="app-alone">
        <p role="alert">Cassius est momentanément injoignable.</p>
      </main>
    );
  }
  const { person, people, timeZone, googleCalendarUrl } = session.data;
  if (person === null) {
    return (
      <>
        <SignIn people={people} />
        <Arrival />
      </>
    );
  }
  return <SignedIn key={person.id} person={person} timeZone={timeZone} googleCalendarUrl={googleCalendarUrl} />;
}

function SignedIn(props: {
  readonly person: PersonJson;
  readonly timeZone: string;
  readonly googleCalendarUrl: string | null;
}) {
  const { person, timeZone, googleCalendarUrl } = props;
  const go = useNavigate();
  const navigate = useCallback((path: string) => void go(path), [go]);
  const atGoogle = useMemo(
    () => (googleCalendarUrl === null ? {} : { googleCalendarUrl: () => googleCalendarUrl }),
    [googleCalendarUrl],
  );
  return (
    <CalendarProvider
      locale="fr"
      navigate={navigate}
      renderAppointment={rdvName}
      appointmentPath={rdvPath}
      {...atGoogle}
    >
      <Bar person={person} />
      <Suspense fallback={<main className="app-page" aria-busy="true" />}>
        <Routes>
          <Route path="/calendar" element={<Agenda person={person} timeZone={timeZone} />} />
          <Route path="/appointments/:id" element={<Appointment />} />
          <Route path="/settings/*" element={<Settings person={person} />} />
          <Route path="*" element={<Navigate to="/calendar" replace />} />
        </Routes>
        <Arrival />
      </Suspense>
    </CalendarProvider>
  );
}

// What the settings pages name a RDV by, and where they lead to it: the service knows neither its patient nor its page.
const rdvName = (id: string) => <RdvName id={id} />;
const rdvPath = (id: string) => `/calendar?rdv=${encodeURIComponent(id)}`;

function RdvName({ id }: { readonly id: string }) {
  const { data } = useRdv(id);
  return data ? `${data.type} — ${data.patientName}` : "RDV";
}

// Where the service links to when a RDV comes without an address of its own, as in the preview.
function Appointment() {
  const { id = "" } = useParams();
  return <Navigate to={`/calendar?rdv=${encodeURIComponent(id)}`} replace />;
}

// Beside a page: the button that signed somebody in or out is gone, and the focus with it. At the first page none is lost.
function Arrival() {
  const queryClient = useQueryClient();
  useEffect(() => {
    if (queryClient.getMutationCache().find({ mutationKey: SIGN_IN })) keepFocus(null);
  }, [queryClient]);
  return null;
}

function Bar({ person }: { readonly person: PersonJson }) {
  const signIn = useSignIn();
  return (
    <header className="app-bar">
      <span className="app-name">Cassius</span>
      <nav aria-label="Application">
        <NavLink to="/calendar">Agenda</NavLink>
        <NavLink to="/settings">Paramètres</NavLink>
      </nav>
      <span className="app-person">
        <span className="app-person-name">{person.name}</span>
        <span className="app-organisation">{person.organisationName}</span>
      </span>
      <button type="button" className="app-quiet" onClick={() => signIn.mutate(null)}>
        Se déconnecter
      </button>
    </header>
  );
}
