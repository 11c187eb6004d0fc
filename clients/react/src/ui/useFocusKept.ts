import { useEffect, useRef } from "react";

/**
 * Gives focus to `target` when `count` shrinks and what had focus has gone with it. Focus elsewhere is left alone, and so
 * is a reader whose focus is nowhere: nothing that changes by itself may take them to another place of the page.
 */
export function useFocusKept(target: { readonly current: HTMLElement | null }, count: number): void {
  const last = useRef(count);
  const focused = useRef<Element | null>(null);
  useEffect(() => {
    focused.current = document.activeElement;
    const onFocus = ({ target: element }: FocusEvent) => {
      focused.current = element as Element;
    };
    // A browser may tell of a blur also when the element goes; then it is gone by the next turn.
    const onBlur = () =>
      queueMicrotask(() => {
        if (focused.current?.isConnected === true) focused.current = document.activeElement;
      });
    document.addEventListener("focusin", onFocus);
    document.addEventListener("focusout", onBlur);
    return () => {
      document.removeEventListener("focusin", onFocus);
      document.removeEventListener("focusout", onBlur);
    };
  }, []);
  useEffect(() => {
    const isShorter = count < last.current;
    last.current = count;
    if (!isShorter || document.activeElement !== document.body) return;
    if (focused.current?.isConnected === false) target.current?.focus();
  }, [target, count]);
}
