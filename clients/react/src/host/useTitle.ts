/** Puts the page's name before the host's in the document's title, while the page is shown. */
import { useEffect } from "react";
import { useHost } from "./host";

/** Names the document after the page, unless the host names it itself. */
export function useTitle(title: string): void {
  const { setsTitle } = useHost();
  useEffect(() => {
    if (!setsTitle) return;
    const before = document.title;
    const ours = before === "" ? title : `${title} · ${before}`;
    document.title = ours;
    return () => {
      // A host that has named the page meanwhile knows better.
      if (document.title === ours) document.title = before;
    };
  }, [setsTitle, title]);
}
