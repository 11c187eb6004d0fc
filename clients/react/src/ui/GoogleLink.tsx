import type { ReactElement } from "react";
import { useHost } from "../host/host";

/** Leads to Google, in a tab of its own. */
export function GoogleLink({ href, about }: { readonly href: string; readonly about?: string }): ReactElement {
  const { t } = useHost();
  return (
    <a className="cc-link" href={href} target="_blank" rel="noopener noreferrer">
      {t("common.openInGoogle")}{" "}
      <span className="cc-hidden">
        {about === undefined ? "" : `${about} `}({t("preview.newTab")})
      </span>
    </a>
  );
}
