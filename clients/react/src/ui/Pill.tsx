import type { ReactElement, ReactNode } from "react";

/** What a state means to the reader. */
export type Tone = "neutral" | "success" | "danger" | "warning" | "accent";

/** A state in a word; its colour never says more than its words. */
export function Pill({ tone, children }: { readonly tone: Tone; readonly children: ReactNode }): ReactElement {
  return (
    <span className={`cc-pill cc-tone-${tone}`}>
      <span className="cc-pill-dot" aria-hidden="true" />
      {children}
    </span>
  );
}
