/** The line below the toolbar that says what became of the latest change. It has its place before it has words. */
import type { RdvChange, useRdvChange } from "./requests";

/** A failure that the open form tells is not told twice. */
export function Outcome({
  change,
  isFormOpen,
  linkFailure,
}: {
  readonly change: ReturnType<typeof useRdvChange>;
  readonly isFormOpen: boolean;
  /** Why the RDV that a link names is not open. */
  readonly linkFailure: string | undefined;
}) {
  return (
    <p className="app-outcome" role="status">
      {change.isIdle && linkFailure}
      {change.isError && !isFormOpen && <span className="app-failure">{change.error.message}</span>}
      {change.isSuccess &&
        `${doneBy(change.variables)}${
          change.data.isDelivered ? "" : " Le service de calendrier est absent : il l’aura dès son retour."
        }`}
    </p>
  );
}

function doneBy(change: RdvChange): string {
  switch (change.kind) {
    case "create":
    case "edit":
      return "RDV enregistré.";
    case "turn":
      return change.state === "cancelled" ? "RDV annulé." : "RDV rétabli.";
    case "delete":
      return "RDV supprimé.";
  }
}
