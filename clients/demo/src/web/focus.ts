/**
 * Where the focus goes when what had it is gone.
 */

/** Gives a focus that nothing has to this element, or to the title of the page where there is none. */
export function keepFocus(element: HTMLElement | null): void {
  if (document.activeElement !== document.body) return;
  if (element) element.focus();
  else focusTitle();
}

/** Gives the focus to the title of the page. */
export function focusTitle(): void {
  const title = document.querySelector("h1");
  if (title === null) return;
  // A title is nothing to operate: scripts may give it the focus, Tab does not.
  title.tabIndex = -1;
  title.focus();
}
