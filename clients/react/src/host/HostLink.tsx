import type { MouseEvent, ReactElement } from "react";
import { useHost, type LinkProps } from "./host";

/** A link to a page of the host: drawn by the host's router when it says how, else `<a>` that asks `navigate`. */
export function HostLink(props: LinkProps): ReactElement {
  const { navigate, renderLink } = useHost();
  if (renderLink) return renderLink(props);
  const onClick = (event: MouseEvent<HTMLAnchorElement>) => {
    // A new tab or window is the reader's choice: only a plain click is the router's.
    if (!navigate || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    navigate(props.href);
  };
  return <a {...props} onClick={onClick} />;
}
