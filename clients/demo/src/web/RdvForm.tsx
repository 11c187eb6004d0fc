/**
 * The form of one RDV. Times are those of the practice's zone, wherever the browser is.
 *
 * It saves nothing itself, and stays open with what was written until it is told that it is done.
 */
import { AppointmentSyncStatus } from "@cassius/calendar-react";
import { useId, useLayoutEffect, useRef, useState, type ReactNode } from "react";

import type { RdvFields, RdvJson } from "../shared/agenda";
import { elementOf } from "./events";
import { keepFocus } from "./focus";
import type { RdvChange } from "./requests";
import { LATEST, spanOf, timesOf, withEnd, withStart } from "./span";

/** What the form begins with. */
export interface Draft {
  /** The RDV to edit; `null`: a new one. */
  rdv: RdvJson | null;
  fields: RdvFields;
}

/** What the form is drawn from. */
export interface RdvFormProps {
  readonly draft: Draft;
  readonly timeZone: string;
  /** Whether who is signed in may have a refused RDV tried again. */
  readonly mayRetry: boolean;
  readonly isSaving: boolean;
  /** Why the latest attempt did not save it. */
  readonly failure: string | undefined;
  readonly onSave: (change: RdvChange) => void;
  readonly onClose: () => void;
}

const TYPES = ["Contrôle", "Détartrage", "Implant", "Prothèse", "Chirurgie", "Urgence"];

/** A modal window with the form. */
export function RdvForm({ draft, timeZone, mayRetry, isSaving, failure, onSave, onClose }: RdvFormProps) {
  const { rdv } = draft;
  const [words, setWords] = useState(draft.fields);
  const [span, setSpan] = useState(() => spanOf(draft.fields, timeZone));
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  const id = rdv?.id;
  // Closed while it is still on the page: only then does the browser give the focus back to where it was.
  useLayoutEffect(() => {
    const opened = dialog.current;
    opened?.showModal();
    return () => {
      opened?.close();
      keepFocus(id === undefined ? null : elementOf(id));
    };
  }, [id]);

  const set = (part: Partial<RdvFields>) => setWords((before) => ({ ...before, ...part }));
  const times = timesOf(span, timeZone);
  const isBackward = times !== null && times.endTime <= times.startTime;
  const isCancelled = rdv?.state === "cancelled";

  return (
    <dialog ref={dialog} className="app-dialog" aria-labelledby={titleId} onCancel={onClose}>
      <form
        aria-busy={isSaving}
        onSubmit={(event) => {
          event.preventDefault();
          if (times === null || isBackward) return;
          const fields = { ...words, ...times };
          onSave(rdv ? { kind: "edit", id: rdv.id, fields } : { kind: "create", fields });
        }}
      >
        <h2 id={titleId}>{rdv ? "Modifier le RDV" : "Nouveau RDV"}</h2>
        {isCancelled && <p className="app-note">Ce RDV est annulé.</p>}
        {rdv && (
          <p className="app-note app-sync">
            <AppointmentSyncStatus id={rdv.id} mayRetry={mayRetry} />
          </p>
        )}
        <Field label="Patient">
          <input
            name="patientName"
            required
            maxLength={200}
            autoComplete="off"
            value={words.patientName}
            onChange={(event) => set({ patientName: event.target.value })}
          />
        </Field>
        <Field label="Type">
          <select name="type" value={words.type} onChange={(event) => set({ type: event.target.value })}>
            {[...new Set([...TYPES, words.type])].map((type) => (
              <option key={type}>{type}</option>
            ))}
          </select>
        </Field>
        <div className="app-row">
          <Field label="Début">
            <input
              type="datetime-local"
              name="startTime"
              required
              max={LATEST}
              value={span.start}
              onChange={(event) => setSpan(withStart(span, event.target.value))}
            />
          </Field>
          <Field label="Fin">
            <input
              type="datetime-local"
              name="endTime"
              required
              max={LATEST}
              value={span.end}
              aria-invalid={isBackward}
              onChange={(event) => setSpan(withEnd(span, event.target.value))}
            />
          </Field>
        </div>
        {isBackward && <p role="alert">La fin doit venir après le début.</p>}
        <Field label="Praticien">
          <input
            name="practitionerName"
            maxLength={200}
            value={words.practitionerName}
            onChange={(event) => set({ practitionerName: event.target.value })}
          />
        </Field>
        <Field label="Lieu">
          <input
            name="location"
            maxLength={500}
            value={words.location}
            onChange={(event) => set({ location: event.target.value })}
          />
        </Field>
        {failure !== undefined && (
          <p role="alert" className="app-failure">
            {failure}
          </p>
        )}
        <div className="app-actions">
          <button type="submit" className="app-primary">
            Enregistrer
          </button>
          <button type="button" onClick={onClose}>
            Fermer
          </button>
          {rdv && (
            <>
              <button
                type="button"
                onClick={() => onSave({ kind: "turn", id: rdv.id, state: isCancelled ? "scheduled" : "cancelled" })}
              >
                {isCancelled ? "Rétablir le RDV" : "Annuler le RDV"}
              </button>
              <button type="button" className="app-danger" onClick={() => onSave({ kind: "delete", id: rdv.id })}>
                Supprimer
              </button>
            </>
          )}
        </div>
      </form>
    </dialog>
  );
}

function Field({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    <label className="app-field">
      <span>{label}</span>
      {children}
    </label>
  );
}
