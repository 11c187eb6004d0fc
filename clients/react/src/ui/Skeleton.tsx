import type { CSSProperties, ReactElement } from "react";

/** A place held for text or a control that is still to come, of the size it will have. */
export function Skeleton({ width, height }: { readonly width: string; readonly height?: string }): ReactElement {
  const style: CSSProperties = height === undefined ? { width } : { width, height };
  return <span className="cc-skeleton" style={style} aria-hidden="true" />;
}
