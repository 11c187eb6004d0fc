/**
 * A RDV as the grid draws it, and how to find it there again. The grid makes its elements anew whenever RDV change.
 */
import type { CalendarOptions, EventInput } from "@fullcalendar/react";

import type { RdvJson } from "../shared/agenda";
import { focusTitle } from "./focus";

/** What the grid is told of a RDV. */
export function eventOf(rdv: RdvJson): EventInput {
  const isCancelled = rdv.state === "cancelled";
  return {
    id: rdv.id,
    title: `${isCancelled ? "Annulé : " : ""}${rdv.type} — ${rdv.patientName}`,
    start: rdv.startTime,
    end: rdv.endTime,
    editable: !isCancelled,
    color: isCancelled ? "var(--cassius-border)" : "var(--cassius-accent)",
    contrastColor: isCancelled ? "var(--cassius-text)" : "var(--cassius-on-accent)",
    className: `app-event ${classOf(rdv.id)}${isCancelled ? " app-event-cancelled" : ""}`,
  };
}

/** The element of a RDV; `null` while the grid does not show it. */
export function elementOf(id: string): HTMLElement | null {
  return document.querySelector<HTMLElement>(`.${classOf(id)}`);
}

/** Watches over the focus of elements that the grid takes away: it stays on the RDV, or goes to the title of the page. */
export function keepFocusOnEvents(): Pick<CalendarOptions, "eventWillUnmount" | "eventDidMount"> {
  let orphan: string | null = null;
  return {
    eventWillUnmount: ({ el, event }) => {
      if (el !== document.activeElement) return;
      orphan = event.id;
      focusTitle();
    },
    eventDidMount: ({ el, event }) => {
      if (event.id !== orphan) return;
      orphan = null;
      if (document.activeElement?.matches("h1")) el.focus();
    },
  };
}

function classOf(id: string): string {
  return `app-rdv-${id}`;
}
