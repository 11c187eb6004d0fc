import { useState, type ReactElement } from "react";
import { useHost } from "../host/host";
import { useConfirmAccount, useConnect } from "../query/mutations";
import { Action } from "../ui/Action";
import { useAnnounce } from "../ui/Announcements";
import { AlertIcon } from "../ui/icons";
import { Notice, type NoticeProps } from "../ui/Notice";
import { Window } from "../ui/Window";
import type { IntegrationStatusJson, PendingAccountJson } from "../wire";
import { whyOffline } from "./blocked";
import { failureText } from "./failureText";

/** What the question is asked about. */
export interface OtherAccountProps {
  readonly status: IntegrationStatusJson;
  readonly pending: PendingAccountJson;
  readonly isOnline: boolean;
  readonly onAnswered: () => void;
}

/**
 * Says that another account waits for an answer, and opens the question; who has just chosen that account is asked at
 * once.
 */
export function OtherAccount(
  props: OtherAccountProps & {
    readonly isJustChosen: boolean;
    /** What is wrong beside the question; `null`: nothing. */
    readonly wrong: NoticeProps | null;
  },
): ReactElement {
  const { isJustChosen, wrong, ...asked } = props;
  const { t } = useHost();
  const [isAsking, setAsking] = useState(isJustChosen);
  return (
    <Notice
      tone={wrong?.tone === "danger" ? "danger" : "warning"}
      icon={<AlertIcon />}
      title={t("otherAccount.title")}
      actions={
        <Action weight="primary" blocked={whyOffline(props.isOnline, t)} onPress={() => setAsking(true)}>
          {t("otherAccount.answer")}
        </Action>
      }
    >
      <p>
        {wrong === null ? null : (
          <>
            <span className="cc-strong">{wrong.title}</span>.{" "}
          </>
        )}
        {t("otherAccount.waits", { other: props.pending.googleEmail })}
      </p>
      {isAsking ? <Question {...asked} onClose={() => setAsking(false)} /> : null}
    </Notice>
  );
}

/**
 * Asks which account to keep: the connected one, which comes first, or the other one that came back from a consent. Where
 * the connected one has lost its grant, to keep it is to give it a new one.
 */
function Question(props: OtherAccountProps & { readonly onClose: () => void }): ReactElement {
  const { status, pending, isOnline, onAnswered, onClose } = props;
  const { t } = useHost();
  const announce = useAnnounce();
  const confirm = useConfirmAccount();
  const connect = useConnect();
  const connectedEmail = status.googleEmail ?? "";
  const needsGrant = status.problem?.action === "reconnect";
  const fail = (failure: unknown) => announce(failureText(failure, t), "danger");
  // The stream may take the question away before the answer is here: the result is told all the same.
  const answer = (accept: boolean) =>
    void confirm.mutateAsync({ accept }).then(() => {
      announce(t("otherAccount.done", { email: accept ? pending.googleEmail : connectedEmail }));
      onClose();
      onAnswered();
    }, fail);
  // The consent that follows names the connected account; what waits lapses when it is given.
  const reconnect = () => connect.mutate(undefined, { onError: fail });
  const isLeaving = connect.isPending || connect.isSuccess;
  const isAnswering = (accept: boolean) => confirm.isPending && confirm.variables.accept === accept;
  const blocked = whyOffline(isOnline, t);
  const isBusy = confirm.isPending || isLeaving;
  return (
    <Window
      title={t("otherAccount.title")}
      // It goes with the notice while nobody can be asked.
      caveat={null}
      isOpen
      onClose={onClose}
      actions={
        <>
          <Action
            weight="primary"
            isPending={needsGrant ? isLeaving : isAnswering(false)}
            isDisabled={isBusy && !isLeaving && !isAnswering(false)}
            blocked={blocked}
            onPress={needsGrant ? reconnect : () => answer(false)}
          >
            {t(needsGrant ? "otherAccount.resume" : "otherAccount.keep", { email: connectedEmail })}
          </Action>
          <Action
            isPending={isAnswering(true)}
            isDisabled={isBusy && !isAnswering(true)}
            blocked={blocked}
            onPress={() => answer(true)}
          >
            {t("otherAccount.take", { email: pending.googleEmail })}
          </Action>
        </>
      }
    >
      <p>
        {t(needsGrant ? "otherAccount.bodyLost" : "otherAccount.body", {
          connected: connectedEmail,
          other: pending.googleEmail,
        })}
      </p>
      {pending.upcomingEventCount > 0 ? (
        <p>
          {t("otherAccount.events", {
            count: pending.upcomingEventCount,
            connected: connectedEmail,
            other: pending.googleEmail,
          })}
        </p>
      ) : null}
    </Window>
  );
}
