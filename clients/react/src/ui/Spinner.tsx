import type { ReactElement } from "react";

/** A turning mark beside the words that say what is going on; it stands still for who asked for less motion. */
export function Spinner(): ReactElement {
  return <span className="cc-spinner" aria-hidden="true" />;
}
