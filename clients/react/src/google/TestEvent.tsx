import type { ReactElement } from "react";
import { useHost } from "../host/host";
import { useTestEvent } from "../query/mutations";
import { Action } from "../ui/Action";
import { useAnnounce, type ResultTone } from "../ui/Announcements";
import type { IntegrationStatusJson, TestEventAnswer } from "../wire";
import { whyNotSend } from "./blocked";
import { failureText } from "./failureText";
import { reasonText } from "./reason";

/** Proves that the calendar takes what Cassius writes: an event of no patient, which is removed again. */
export function TestEvent(props: { readonly status: IntegrationStatusJson; readonly isOnline: boolean }): ReactElement {
  const { status, isOnline } = props;
  const { t } = useHost();
  const announce = useAnnounce();
  const test = useTestEvent();
  const calendar = status.calendar?.name ?? "";
  const outcome = ({ isWritten, isRemoved, error }: TestEventAnswer): [string, ResultTone] => {
    if (error !== null && !isWritten) return [`${t("test.failed", { calendar })} ${reasonText(error, t)}`, "danger"];
    if (!isWritten) return [t("test.late"), "danger"];
    return isRemoved ? [t("test.done", { calendar }), "success"] : [t("test.removing", { calendar }), "neutral"];
  };
  const send = () =>
    test.mutate(undefined, {
      onSuccess: (answer) => announce(...outcome(answer)),
      onError: (failure) => announce(failureText(failure, t), "danger"),
    });
  return (
    <div className="cc-field-aside">
      <p className="cc-hint">{t("test.hint")}</p>
      <Action isPending={test.isPending} blocked={whyNotSend(status, isOnline, t)} onPress={send}>
        {test.isPending ? t("test.pending") : t("test.send")}
      </Action>
    </div>
  );
}
