/** Gives focus to the part of a page that the address's fragment names, once it is there. */
import { useEffect, useRef } from "react";

/**
 * Focuses `target` once `isThere`, if the page was opened with `#anchor`; focus that is somewhere on purpose is left
 * alone.
 */
export function useAnchorFocus(
  target: { readonly current: HTMLElement | null },
  anchor: string,
  isThere: boolean,
): void {
  const isDone = useRef(false);
  useEffect(() => {
    if (!isThere || isDone.current) return;
    isDone.current = true;
    if (window.location.hash !== `#${anchor}`) return;
    const { activeElement } = document;
    if (activeElement !== null && activeElement !== document.body && activeElement.localName !== "h1") return;
    target.current?.focus();
  }, [target, anchor, isThere]);
}
