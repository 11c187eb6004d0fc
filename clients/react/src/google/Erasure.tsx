import { useState, type ReactElement } from "react";
import { useHost } from "../host/host";
import { Action } from "../ui/Action";
import { Section } from "../ui/Section";
import { whyOffline } from "./blocked";
import type { GoogleSectionProps } from "./sectionProps";
import { EraseWindow } from "./EraseWindow";

/**
 * Données: the way to erase everything of the practice. It ends the page whatever the state is, before a connection and
 * after.
 */
export function Erasure({ status, isOnline, lastKnown }: GoogleSectionProps): ReactElement {
  const { t } = useHost();
  const [isAsking, setAsking] = useState(false);
  return (
    <Section title={t("erase.section")} lead={t("erase.hint")} isBusy={!status}>
      <div className="cc-erasure">
        <Action blocked={status ? whyOffline(isOnline, t) : t("common.loading")} onPress={() => setAsking(true)}>
          {t("erase.open")}
        </Action>
      </div>
      {status && isAsking ? (
        <EraseWindow status={status} lastKnown={lastKnown} onClose={() => setAsking(false)} />
      ) : null}
    </Section>
  );
}
