/**
 * The demo's own endpoints: who is signed in, and the RDV of that person's organisation.
 *
 * Each mutation is stored first and told to the calendar service after; what the service does or does not answer never
 * undoes or delays it beyond the client's deadline.
 */
import type { CalendarClient } from "@cassius/calendar-client";
import { json, Router, type Request, type Response } from "express";
import { z } from "zod";

import type { RdvAnswer, RdvListAnswer, RdvOneAnswer, SessionAnswer } from "../shared/agenda.js";
import type { Erasures } from "./erasures.js";
import { PEOPLE, personJson, personOf, TIME_ZONE, type Person } from "./people.js";
import { rdvJson, snapshotOf, type Rdv, type Rdvs } from "./rdvs.js";
import type { Sessions } from "./session.js";

/** What the endpoints work with. */
export interface Agenda {
  client: CalendarClient;
  rdvs: Rdvs;
  erasures: Erasures;
  sessions: Sessions;
  publicUrl: string;
  googleCalendarUrl: string | null;
}

const INSTANT = z.iso.datetime({ offset: true }).transform((text) => new Date(text).toISOString());
const FIELDS = z
  .strictObject({
    type: z.string().trim().min(1).max(200),
    patientName: z.string().trim().min(1).max(200),
    practitionerName: z.string().trim().max(200),
    location: z.string().trim().max(500),
    startTime: INSTANT,
    endTime: INSTANT,
  })
  .refine(({ startTime, endTime }) => endTime > startTime, "the end must come after the start");
const PERIOD = z.object({ from: INSTANT, to: INSTANT });
const TURN = z.strictObject({ state: z.enum(["scheduled", "cancelled"]) });
const SIGN_IN = z.strictObject({ personId: z.string() });

/** Makes the endpoints, to be mounted under `/api`. */
export function agendaRouter(agenda: Agenda): Router {
  const { rdvs, sessions } = agenda;
  const router = Router();
  router.use(sameOriginOnly(new URL(agenda.publicUrl).origin), json({ limit: "16kb" }));

  const sessionOf = (person: Person | null): SessionAnswer => ({
    person: person && personJson(person),
    people: PEOPLE.map(personJson),
    timeZone: TIME_ZONE,
    googleCalendarUrl: agenda.googleCalendarUrl,
  });
  router.get("/session", (request, response) => {
    response.json(sessionOf(sessions.person(request)));
  });
  router.post("/session", (request, response) => {
    const person = personOf(SIGN_IN.parse(request.body).personId);
    if (person === null) return void response.status(404).json({ message: "Personne inconnue." });
    sessions.begin(response, person);
    response.json(sessionOf(person));
  });
  router.delete("/session", (request, response) => {
    sessions.end(request, response);
    response.json(sessionOf(null));
  });

  const signedIn = (request: Request, response: Response): Person | null => {
    const person = sessions.person(request);
    if (person === null) response.status(401).json({ message: "Reconnectez-vous." });
    return person;
  };
  const answerWith = async (response: Response, rdv: Rdv | null) => {
    if (rdv === null) return void response.status(404).json({ message: "Ce RDV n’existe plus." });
    const { organisationId } = rdv;
    const appointment = snapshotOf(rdv, agenda.publicUrl);
    // Of a practice that was erased nothing is to be delivered.
    const isDelivered =
      agenda.erasures.has(organisationId) ||
      (await agenda.client.syncAfterMutation({ organisationId, appointment })).delivered;
    response.json({ rdv: rdvJson(rdv), isDelivered } satisfies RdvAnswer);
  };

  router.get("/rdv", (request, response) => {
    const person = signedIn(request, response);
    if (person === null) return;
    const shown = rdvs.shown(person.organisationId, PERIOD.parse(request.query));
    response.json({ rdvs: shown.map(rdvJson) } satisfies RdvListAnswer);
  });
  router.get("/rdv/:id", (request, response) => {
    const person = signedIn(request, response);
    if (person === null) return;
    const [rdv] = rdvs.load(person.organisationId, [request.params.id]);
    if (rdv === undefined || rdv.state === "deleted")
      return void response.status(404).json({ message: "Ce RDV n’existe pas, ou n’existe plus." });
    response.json({ rdv: rdvJson(rdv) } satisfies RdvOneAnswer);
  });
  router.post("/rdv", async (request, response) => {
    const person = signedIn(request, response);
    if (person === null) return;
    await answerWith(response, rdvs.create(person.organisationId, FIELDS.parse(request.body)));
  });
  router.put("/rdv/:id", async (request, response) => {
    const person = signedIn(request, response);
    if (person === null) return;
    await answerWith(response, rdvs.edit(person.organisationId, request.params.id, FIELDS.parse(request.body)));
  });
  router.patch("/rdv/:id", async (request, response) => {
    const person = signedIn(request, response);
    if (person === null) return;
    const { state } = TURN.parse(request.body);
    await answerWith(response, rdvs.turn(person.organisationId, request.params.id, state));
  });
  router.delete("/rdv/:id", async (request, response) => {
    const person = signedIn(request, response);
    if (person === null) return;
    await answerWith(response, rdvs.turn(person.organisationId, request.params.id, "deleted"));
  });
  return router;
}

// The session cookie is SameSite=Lax; this keeps sibling hosts out too.
function sameOriginOnly(origin: string) {
  return (request: Request, response: Response, next: () => void) => {
    const isForeign = request.headers.origin !== undefined && request.headers.origin !== origin;
    if (isForeign) response.status(403).json({ message: "La demande ne vient pas de cette application." });
    else next();
  };
}
