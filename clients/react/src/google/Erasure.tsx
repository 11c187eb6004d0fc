import { useState, type ReactElement } from "react";
import { useHost } from "../host/host";
import { Action } from "../ui/Action";
import { whyOffline } from "./blocked";
import type { GoogleSectionProps } from "./sectionProps";
import { EraseWindow } from "./EraseWindow";

/** The way to erase everything of the practice. It stands there whatever the state is, before a connection and after one. */
export function Erasure({ status, isOnline }: GoogleSectionProps): ReactElement {
  const { t } = useHost();
  const [isAsking, setAsking] = useState(false);
  return (
    <div className="cc-erasure">
      <p className="cc-hint">{t("erase.hint")}</p>
      <Action blocked={status ? whyOffline(isOnline, t) : t("common.loading")} onPress={() => setAsking(true)}>
        {t("erase.open")}
      </Action>
      {status && isAsking ? <EraseWindow status={status} onClose={() => setAsking(false)} /> : null}
    </div>
  );
}
