/**
 * The JSON that the pages of the demo and its server speak. Types alone.
 */

/** Somebody who works at a practice. */
export interface PersonJson {
  id: string;
  name: string;
  role: string;
  organisationName: string;
  /** Whether this person may look after integrations. */
  isManager: boolean;
}

/** Whether a RDV takes place. */
export type RdvState = "scheduled" | "cancelled";

/** What a person may say of a RDV. */
export interface RdvFields {
  type: string;
  patientName: string;
  practitionerName: string;
  location: string;
  /** ISO 8601. */
  startTime: string;
  endTime: string;
}

/** A RDV of the calendar. */
export interface RdvJson extends RdvFields {
  id: string;
  state: RdvState;
}

/** Answer of every change of a RDV. */
export interface RdvAnswer {
  rdv: RdvJson;
  /** Whether the calendar service has it already; else it gets it later, by reconciliation. */
  isDelivered: boolean;
}

/** Answer of `GET /api/rdv/:id`. */
export interface RdvOneAnswer {
  rdv: RdvJson;
}

/** Answer of `GET /api/rdv`. */
export interface RdvListAnswer {
  rdvs: RdvJson[];
}

/** Answer of `/api/session`, whether it was asked for, begun or ended. */
export interface SessionAnswer {
  person: PersonJson | null;
  /** Who may sign in: the demo asks for no password. */
  people: PersonJson[];
  /** IANA name of the zone that practices work in. */
  timeZone: string;
  /** Where Google's calendars are seen, where that is not the real Google; `null` otherwise. */
  googleCalendarUrl: string | null;
}
