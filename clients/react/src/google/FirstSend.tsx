import { useState, type ReactElement } from "react";
import { useHost } from "../host/host";
import { useSyncNow } from "../query/mutations";
import { Action } from "../ui/Action";
import { useAnnounce } from "../ui/Announcements";
import type { IntegrationStatusJson } from "../wire";
import { whyOffline } from "./blocked";
import { failureText } from "./failureText";
import { PrivacyWindow } from "./PrivacyWindow";
import { syncText } from "./syncText";

/** What the steps are drawn from. */
export interface FirstSendProps {
  readonly status: IntegrationStatusJson;
  readonly isOnline: boolean;
  readonly onChooseCalendar: () => void;
  readonly onSent: () => void;
}

/**
 * After the first connection: which calendar, what titles show, and only then the sending. Three steps in a row, in the room
 * that the notice of any other health takes.
 */
export function FirstSend({ status, isOnline, onChooseCalendar, onSent }: FirstSendProps): ReactElement {
  const { t } = useHost();
  const announce = useAnnounce();
  const syncNow = useSyncNow();
  const [isChoosingPrivacy, setChoosingPrivacy] = useState(false);
  const { unsent } = status.counts;
  const blocked = whyOffline(isOnline, t);
  const send = () =>
    syncNow.mutate(undefined, {
      onSuccess: (answer) => {
        announce(syncText(answer, t));
        onSent();
      },
      onError: (failure) => announce(failureText(failure, t), "danger"),
    });
  return (
    <div className="cc-first">
      <p>
        <span className="cc-notice-title">{t("first.title", { count: unsent })}</span>{" "}
        <span className="cc-hint cc-first-body">{t("first.body")}</span>
      </p>
      <ol className="cc-steps">
        <li className="cc-step">
          <Action blocked={blocked} onPress={onChooseCalendar}>
            <StepWords label={t("first.chooseCalendar")} value={status.calendar?.name ?? ""} />
          </Action>
        </li>
        <li className="cc-step">
          <Action blocked={blocked} onPress={() => setChoosingPrivacy(true)}>
            <StepWords label={t("first.choosePrivacy")} value={t(`options.privacy.${status.titlePrivacy}`)} />
          </Action>
        </li>
        <li className="cc-step">
          <Action weight="primary" isPending={syncNow.isPending} blocked={blocked} onPress={send}>
            {t("first.sendNow", { count: unsent })}
          </Action>
        </li>
      </ol>
      {/* It goes with the steps while nobody can be asked. */}
      {isChoosingPrivacy ? (
        <PrivacyWindow status={status} lastKnown={null} onClose={() => setChoosingPrivacy(false)} />
      ) : null}
    </div>
  );
}

/** What a step lets be chosen, and what is chosen now. */
function StepWords({ label, value }: { readonly label: string; readonly value: string }): ReactElement {
  return (
    <span className="cc-step-words">
      <span className="cc-hint">{label}</span> <span className="cc-step-value">{value}</span>
    </span>
  );
}
