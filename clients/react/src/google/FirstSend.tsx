import { useState, type ReactElement, type ReactNode } from "react";
import { useHost } from "../host/host";
import { useSyncNow } from "../query/mutations";
import { Action } from "../ui/Action";
import { useAnnounce } from "../ui/Announcements";
import type { IntegrationStatusJson } from "../wire";
import { whyOffline } from "./blocked";
import { CalendarName } from "./CalendarSelect";
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

/** After the first connection: which calendar, what titles show, and only then the sending, in three steps. */
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
      <p className="cc-notice-title">{t("first.title", { count: unsent })}</p>
      <p className="cc-notice-body">{t("first.body")}</p>
      <ol className="cc-steps">
        <Step
          label={t("first.calendar")}
          action={
            <Action blocked={blocked} onPress={onChooseCalendar}>
              {t("first.chooseCalendar")}
            </Action>
          }
        >
          {status.calendar ? <CalendarName calendar={status.calendar} /> : null}
        </Step>
        <Step
          label={t("options.privacy")}
          action={
            <Action blocked={blocked} onPress={() => setChoosingPrivacy(true)}>
              {t("first.choosePrivacy")}
            </Action>
          }
        >
          {t(`options.privacy.${status.titlePrivacy}`)}
          <span className="cc-hint"> ({t(`options.privacy.${status.titlePrivacy}.hint`)})</span>
        </Step>
        <Step
          label={t("first.send")}
          action={
            <Action weight="primary" isPending={syncNow.isPending} blocked={blocked} onPress={send}>
              {t("first.sendNow", { count: unsent })}
            </Action>
          }
        />
      </ol>
      {isChoosingPrivacy ? <PrivacyWindow status={status} onClose={() => setChoosingPrivacy(false)} /> : null}
    </div>
  );
}

function Step(props: {
  readonly label: string;
  readonly action: ReactNode;
  readonly children?: ReactNode;
}): ReactElement {
  return (
    <li className="cc-step">
      <div className="cc-step-words">
        <span className="cc-hint">{props.label}</span>
        {props.children === undefined ? null : <span className="cc-strong">{props.children}</span>}
      </div>
      {props.action}
    </li>
  );
}
