import { useEffect, useRef } from "react";

/** Gives focus to `target` when `count` shrinks and what had focus has gone with it; focus elsewhere is left alone. */
export function useFocusKept(target: { readonly current: HTMLElement | null }, count: number): void {
  const last = useRef(count);
  useEffect(() => {
    const isShorter = count < last.current;
    last.current = count;
    if (isShorter && document.activeElement === document.body) target.current?.focus();
  }, [target, count]);
}
