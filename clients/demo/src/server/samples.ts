/**
 * RDV of this week and the next for a practice that has none, so that the first look at the demo shows a week at work.
 * All of it is made up.
 */
import { PEOPLE } from "./people.js";
import type { Rdvs } from "./rdvs.js";

const DAY_MS = 24 * 3600 * 1000;
const HALF_HOUR_MS = 30 * 60_000;
const WORK = ["Contrôle", "Détartrage", "Implant", "Prothèse", "Chirurgie"];
const PATIENTS = ["Ada Exemple", "Bea Modèle", "Cleo Essai", "Dora Exemple", "Elsa Modèle", "Fanny Essai"];

/** Gives each practice that has no RDV two of them on every weekday of this week and the next. */
export function addSamples(rdvs: Rdvs, now: Date): void {
  const monday = new Date(now);
  monday.setUTCHours(0, 0, 0, 0);
  monday.setUTCDate(monday.getUTCDate() - ((monday.getUTCDay() + 6) % 7));
  const practitioners = new Map(PEOPLE.toReversed().map(({ organisationId, name }) => [organisationId, name]));
  for (const [organisationId, practitionerName] of practitioners) {
    if (!rdvs.changed(organisationId, 0).next().done) continue;
    for (let nth = 0; nth < 20; nth += 1) {
      const day = Math.floor(nth / 2);
      const start =
        monday.getTime() + (day + (day >= 5 ? 2 : 0)) * DAY_MS + (8 + (nth % 2) * 5 + (nth % 3)) * 2 * HALF_HOUR_MS;
      rdvs.create(organisationId, {
        type: WORK[nth % WORK.length] ?? "Contrôle",
        patientName: PATIENTS[nth % PATIENTS.length] ?? "Ada Exemple",
        practitionerName,
        location: `Salle ${(nth % 2) + 1}`,
        startTime: new Date(start).toISOString(),
        endTime: new Date(start + HALF_HOUR_MS * (1 + (nth % 2))).toISOString(),
      });
    }
  }
}
