import { useState, type ReactElement } from "react";
import { useHost } from "../host/host";
import { useUpdateSettings } from "../query/mutations";
import { usePreview } from "../query/queries";
import { Action } from "../ui/Action";
import { useAnnounce } from "../ui/Announcements";
import { Choices } from "../ui/Choices";
import { AlertIcon } from "../ui/icons";
import { Notice } from "../ui/Notice";
import { Window } from "../ui/Window";
import type { IntegrationStatusJson, TitlePrivacyJson } from "../wire";
import { failureText } from "./failureText";
import { isMoreOpen, PRIVACIES } from "./privacy";
import { EVENT_LANGUAGE } from "./PreviewSection";

/** What the window begins with. */
export interface PrivacyWindowProps {
  readonly status: IntegrationStatusJson;
  /** When `status` was known last, in words, while it is no more than that. */
  readonly lastKnown: string | null;
  /** What was already picked elsewhere: the question is about this alone. */
  readonly picked?: TitlePrivacyJson;
  readonly onClose: () => void;
}

/** Asks before titles tell more of a patient than they did, with an example and how many events change. */
export function PrivacyWindow({ status, lastKnown, picked, onClose }: PrivacyWindowProps): ReactElement {
  const { t } = useHost();
  const announce = useAnnounce();
  const update = useUpdateSettings();
  const [chosen, setChosen] = useState(picked ?? status.titlePrivacy);
  const preview = usePreview(chosen);
  const isSame = chosen === status.titlePrivacy;
  const count = status.counts.upcomingEvents;
  const confirm = () =>
    update.mutate(
      { titlePrivacy: chosen },
      {
        onSuccess: () => {
          announce(t("options.privacyDone", { choice: t(`options.privacy.${chosen}`) }));
          onClose();
        },
      },
    );
  const outlook = isMoreOpen(chosen, status.titlePrivacy) ? t(`privacy.shows.${chosen}`) : t("privacy.showsLess");

  return (
    <Window
      title={picked === undefined ? t("options.privacy") : t("privacy.question")}
      caveat={lastKnown}
      role={picked === undefined ? "dialog" : "alertdialog"}
      isOpen
      onClose={onClose}
      actions={
        <>
          <Action onPress={onClose} isDisabled={update.isPending}>
            {t("common.cancel")}
          </Action>
          <Action
            weight="primary"
            onPress={confirm}
            isPending={update.isPending}
            isDisabled={isSame && !update.isPending}
          >
            {t("privacy.confirm", { choice: t(`options.privacy.${chosen}`) })}
          </Action>
        </>
      }
    >
      {picked === undefined ? (
        <Choices<TitlePrivacyJson>
          label={t("privacy.field")}
          value={chosen}
          isDisabled={update.isPending}
          onChange={setChosen}
          choices={PRIVACIES.map((value) => ({
            value,
            label: t(`options.privacy.${value}`),
            hint: t(`options.privacy.${value}.hint`),
          }))}
        />
      ) : null}
      <div className="cc-window-outlook" aria-live="polite">
        <p className="cc-strong" lang={EVENT_LANGUAGE}>
          {preview.data?.title ?? "…"}
        </p>
        <p>
          {isSame ? t("privacy.same") : outlook} {!isSame && count > 0 ? t("privacy.events", { count }) : null}
        </p>
      </div>
      {update.error ? (
        <Notice tone="danger" icon={<AlertIcon />} role="alert">
          {failureText(update.error, t)}
        </Notice>
      ) : null}
    </Window>
  );
}
