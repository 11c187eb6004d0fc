import { useState, type ReactElement } from "react";
import { useHost } from "../host/host";
import { useUpdateSettings } from "../query/mutations";
import { useAnnounce } from "../ui/Announcements";
import { Choices } from "../ui/Choices";
import type { IntegrationStatusJson, TitlePrivacyJson } from "../wire";
import { failureText } from "./failureText";
import { isMoreOpen, PRIVACIES } from "./privacy";
import { PrivacyTable } from "./PrivacyTable";
import { PrivacyWindow } from "./PrivacyWindow";
import type { GoogleSectionProps } from "./sectionProps";

/**
 * What titles show. Before the first consent too, so that nothing has been sent that somebody would not have wanted sent.
 */
export function PrivacyChoice(props: GoogleSectionProps & { readonly status: IntegrationStatusJson }): ReactElement {
  const { status, isOnline, lastKnown } = props;
  const { t } = useHost();
  const announce = useAnnounce();
  const update = useUpdateSettings();
  const [asked, setAsked] = useState<TitlePrivacyJson | null>(null);
  // A promise, not a callback of `mutate`: that of an earlier press would be dropped with a later one.
  const protect = (titlePrivacy: TitlePrivacyJson) => {
    // What tells more of patients is asked about first, where there are events that would tell it.
    if (isMoreOpen(titlePrivacy, status.titlePrivacy) && status.counts.upcomingEvents > 0) {
      setAsked(titlePrivacy);
      return;
    }
    update
      .mutateAsync({ titlePrivacy })
      .then(() => announce(t("options.privacyDone", { choice: t(`options.privacy.${titlePrivacy}`) })))
      .catch((failure: unknown) => announce(`${t("options.rolledBack")} ${failureText(failure, t)}`, "danger"));
  };

  return (
    <div className="cc-field">
      <Choices<TitlePrivacyJson>
        label={t("options.privacy")}
        hint={t(status.state === "not_connected" ? "options.privacyBefore" : "options.privacyHint")}
        value={status.titlePrivacy}
        isReadOnly={!isOnline}
        onChange={protect}
        choices={PRIVACIES.map((value) => ({
          value,
          label: t(`options.privacy.${value}`),
          hint: t(`options.privacy.${value}.hint`),
        }))}
      />
      <PrivacyTable />
      {asked === null ? null : (
        <PrivacyWindow status={status} lastKnown={lastKnown} picked={asked} onClose={() => setAsked(null)} />
      )}
    </div>
  );
}
