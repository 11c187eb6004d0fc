import type { ReactElement } from "react";
import { useHost } from "../host/host";
import { useConfirmAccount, useConnect } from "../query/mutations";
import { Action } from "../ui/Action";
import { useAnnounce } from "../ui/Announcements";
import { AlertIcon } from "../ui/icons";
import { Notice } from "../ui/Notice";
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
 * Asks which account to keep: the connected one, which comes first, or the other one that came back from a consent. Where the
 * connected one has lost its grant, to keep it is to give it a new one.
 */
export function OtherAccount({ status, pending, isOnline, onAnswered }: OtherAccountProps): ReactElement {
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
      onAnswered();
    }, fail);
  // The consent that follows names the connected account; what waits lapses when it is given.
  const reconnect = () => connect.mutate(undefined, { onError: fail });
  const isLeaving = connect.isPending || connect.isSuccess;
  const isAnswering = (accept: boolean) => confirm.isPending && confirm.variables.accept === accept;
  const blocked = whyOffline(isOnline, t);
  const isBusy = confirm.isPending || isLeaving;
  return (
    <Notice tone="warning" icon={<AlertIcon />} title={t("otherAccount.title")}>
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
      <div className="cc-notice-answers">
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
      </div>
    </Notice>
  );
}
