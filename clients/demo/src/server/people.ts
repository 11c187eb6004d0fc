/**
 * The two organisations of the demo and who works there. All of it is made up.
 *
 * It stands for the users and practices of the real Cassius.
 */
import type { PersonJson } from "../shared/agenda.js";

/** Somebody who may sign in. */
export interface Person extends PersonJson {
  organisationId: string;
}

/** The zone that both practices work in. */
export const TIME_ZONE = "Europe/Paris";

const LILAS = { organisationId: "cabinet-des-lilas", organisationName: "Cabinet dentaire des Lilas" };
const PORT = { organisationId: "clinique-du-port", organisationName: "Clinique implantaire du Port" };

/** Everybody. */
export const PEOPLE: readonly Person[] = [
  { id: "camille", name: "Dr Camille Roche", role: "Chirurgienne-dentiste, gérante", isManager: true, ...LILAS },
  { id: "nadia", name: "Nadia Ferret", role: "Assistante", isManager: false, ...LILAS },
  { id: "hugo", name: "Dr Hugo Vasseur", role: "Implantologue, gérant", isManager: true, ...PORT },
];

/** The person with this id. */
export function personOf(id: string): Person | null {
  return PEOPLE.find((person) => person.id === id) ?? null;
}

/** What the browser is told of a person. */
export function personJson({ id, name, role, organisationName, isManager }: Person): PersonJson {
  return { id, name, role, organisationName, isManager };
}
