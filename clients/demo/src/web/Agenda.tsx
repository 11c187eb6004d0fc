/**
 * The week calendar: RDV are created by choosing a time, edited by a click, moved and resized by dragging.
 */
import { AppointmentSyncStatus, GoogleCalendarBadge, useStatus } from "@cassius/calendar-react";
import FullCalendar, { useCalendarController } from "@fullcalendar/react";
import interaction from "@fullcalendar/react/interaction";
import french from "@fullcalendar/react/locales/fr";
import "@fullcalendar/react/skeleton.css";
import classic from "@fullcalendar/react/themes/classic";
import "@fullcalendar/react/themes/classic/palette.css";
import "@fullcalendar/react/themes/classic/theme.css";
import timeGrid from "@fullcalendar/react/timegrid";
import { useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { Link, useSearchParams } from "react-router";

import type { PersonJson } from "../shared/agenda";
import "./agenda.css";
import { eventOf, keepFocusOnEvents } from "./events";
import { Outcome } from "./Outcome";
import { fieldsOf, useRdv, useRdvChange, useRdvs, type RdvChange } from "./requests";
import { RdvForm, type Draft } from "./RdvForm";

const PLUGINS = [timeGrid, interaction, classic];
const HALF_HOUR_MS = 30 * 60_000;

/** The page `/calendar`. */
export default function Agenda({ person, timeZone }: { readonly person: PersonJson; readonly timeZone: string }) {
  const controller = useCalendarController();
  const [shown, setShown] = useState(thisWeek);
  const [draft, setDraft] = useState<Draft | null>(null);
  const [search, setSearch] = useSearchParams();
  const rdvs = useRdvs(shown.from, shown.to);
  const change = useRdvChange();
  const events = useMemo(() => (rdvs.data ?? []).map(eventOf), [rdvs.data]);
  const [focusKeeper] = useState(keepFocusOnEvents);
  const buttons = controller.getButtonState();
  const view = useIsNarrow() ? "timeGridDay" : "timeGridWeek";

  // A link to one RDV, as the calendar service writes it into the event, opens that RDV in its week.
  const linked = useRdv(search.get("rdv"));
  const linkedStart = linked.data?.startTime;
  useEffect(() => {
    if (linkedStart !== undefined) controller.gotoDate(linkedStart);
  }, [controller, linkedStart]);
  const open: Draft | null = draft ?? (linked.data ? { rdv: linked.data, fields: fieldsOf(linked.data) } : null);
  const close = () => {
    setDraft(null);
    if (search.has("rdv")) setSearch({}, { replace: true });
  };
  const giveUp = () => {
    // A failure was told in the form, and ends with it.
    if (change.isError) change.reset();
    close();
  };
  const show = (wanted: Draft) => {
    change.reset();
    setDraft(wanted);
  };
  const save = (wanted: RdvChange) => {
    if (!change.isPending) change.mutate(wanted, { onSuccess: close });
  };
  const begin = (startTime: Date, endTime: Date) => show({ rdv: null, fields: blank(person, startTime, endTime) });
  const move = (id: string, start: Date | null, end: Date | null, revert: () => void) => {
    const rdv = rdvs.data?.find((one) => one.id === id);
    if (!rdv || !start || !end) {
      revert();
      return;
    }
    const fields = { ...fieldsOf(rdv), startTime: start.toISOString(), endTime: end.toISOString() };
    change.mutate({ kind: "edit", id, fields }, { onError: revert });
  };

  return (
    <main className="app-page app-agenda">
      <title>Agenda · Cassius</title>
      <h1 className="app-hidden">Agenda</h1>
      <div className="app-toolbar">
        <div className="app-week" role="group" aria-label="Jours affichés">
          <button type="button" aria-label="Précédent" onClick={() => controller.prev()}>
            ‹
          </button>
          <button type="button" disabled={buttons.today.isDisabled} onClick={() => controller.today()}>
            Aujourd’hui
          </button>
          <button type="button" aria-label="Suivant" onClick={() => controller.next()}>
            ›
          </button>
        </div>
        <p className="app-week-title" aria-live="polite">
          {controller.view?.title}
        </p>
        <span className="app-badge">
          <GoogleCalendarBadge />
          {person.isManager && <ConnectLink />}
        </span>
        <button type="button" className="app-primary" onClick={() => begin(...nextHalfHour())}>
          Nouveau RDV
        </button>
      </div>
      <Outcome change={change} isFormOpen={open !== null} linkFailure={linked.error?.message} />
      <div className="app-grid">
        <FullCalendar
          controller={controller}
          plugins={PLUGINS}
          locale={french}
          timeZone={timeZone}
          key={view}
          initialView={view}
          headerToolbar={false}
          height="auto"
          allDaySlot={false}
          weekends={false}
          slotMinTime="07:00"
          slotMaxTime="20:00"
          slotDuration="00:30"
          snapDuration="00:15"
          nowIndicator
          editable
          selectable
          selectMirror
          eventInteractive
          events={events}
          eventContent={({ event, timeText }) => (
            <span className="app-event-words">
              <AppointmentSyncStatus id={event.id} isCompact /> <strong>{event.title}</strong> <span>{timeText}</span>
            </span>
          )}
          {...focusKeeper}
          datesSet={({ start, end }) => setShown({ from: start.toISOString(), to: end.toISOString() })}
          select={({ start, end }) => begin(start, end)}
          eventClick={({ event }) => {
            const rdv = rdvs.data?.find(({ id }) => id === event.id);
            if (rdv) show({ rdv, fields: fieldsOf(rdv) });
          }}
          eventDrop={({ event, revert }) => move(event.id, event.start, event.end, revert)}
          eventResize={({ event, revert }) => move(event.id, event.start, event.end, revert)}
        />
      </div>
      {open && (
        <RdvForm
          key={open.rdv?.id ?? "new"}
          draft={open}
          timeZone={timeZone}
          mayRetry={person.isManager}
          isSaving={change.isPending}
          failure={change.error?.message}
          onSave={save}
          onClose={giveUp}
        />
      )}
    </main>
  );
}

// In the place of the badge, which says nothing while nothing is connected.
function ConnectLink() {
  const { status } = useStatus();
  if (status?.state !== "not_connected") return null;
  return <Link to="/settings/integrations/google-calendar">Envoyer ces RDV dans Google Calendar</Link>;
}

// Five days do not fit on a telephone.
const NARROW = window.matchMedia("(max-width: 48rem)");

function useIsNarrow(): boolean {
  return useSyncExternalStore(
    (changed) => {
      NARROW.addEventListener("change", changed);
      return () => NARROW.removeEventListener("change", changed);
    },
    () => NARROW.matches,
  );
}

function blank(person: PersonJson, startTime: Date, endTime: Date): Draft["fields"] {
  return {
    type: "Contrôle",
    patientName: "",
    practitionerName: person.name,
    location: "",
    startTime: startTime.toISOString(),
    endTime: endTime.toISOString(),
  };
}

function nextHalfHour(): [Date, Date] {
  const start = Math.ceil(Date.now() / HALF_HOUR_MS) * HALF_HOUR_MS;
  return [new Date(start), new Date(start + HALF_HOUR_MS)];
}

// Wide enough for the week in any zone; the grid says exactly which days it shows as soon as it is drawn.
function thisWeek(): { from: string; to: string } {
  const now = Date.now();
  const week = 7 * 24 * 3600 * 1000;
  return { from: new Date(now - week).toISOString(), to: new Date(now + week).toISOString() };
}
