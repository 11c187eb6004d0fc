import type { ReactElement } from "react";
import { useHost } from "../host/host";
import { useConfirmAccount } from "../query/mutations";
import { Action } from "../ui/Action";
import { useAnnounce } from "../ui/Announcements";
import { AlertIcon } from "../ui/icons";
import { Notice } from "../ui/Notice";
import type { PendingAccountJson } from "../wire";
import { failureText } from "./failureText";

/** Asks which account to keep: the connected one, or the other one that came back from a consent. */
export function OtherAccount(props: {
  readonly connectedEmail: string;
  readonly pending: PendingAccountJson;
  readonly isOnline: boolean;
  readonly onAnswered: () => void;
}): ReactElement {
  const { connectedEmail, pending, isOnline, onAnswered } = props;
  const { t } = useHost();
  const announce = useAnnounce();
  const confirm = useConfirmAccount();
  const answer = (accept: boolean) =>
    confirm.mutate(
      { accept },
      {
        onSuccess: () => {
          announce(t("otherAccount.done", { email: accept ? pending.googleEmail : connectedEmail }));
          onAnswered();
        },
        onError: (failure) => announce(failureText(failure, t), "danger"),
      },
    );
  const isPending = (accept: boolean) => confirm.isPending && confirm.variables.accept === accept;
  return (
    <Notice
      tone="warning"
      icon={<AlertIcon />}
      title={t("otherAccount.title")}
      actions={
        <>
          <Action isPending={isPending(false)} isBlocked={!isOnline || confirm.isPending} onPress={() => answer(false)}>
            {t("otherAccount.keep", { email: connectedEmail })}
          </Action>
          <Action
            weight="primary"
            isPending={isPending(true)}
            isBlocked={!isOnline || confirm.isPending}
            onPress={() => answer(true)}
          >
            {t("otherAccount.take", { email: pending.googleEmail })}
          </Action>
        </>
      }
    >
      <p>{t("otherAccount.body", { connected: connectedEmail, other: pending.googleEmail })}</p>
      {pending.upcomingEventCount > 0 ? (
        <p>{t("otherAccount.events", { count: pending.upcomingEventCount, other: pending.googleEmail })}</p>
      ) : null}
    </Notice>
  );
}
