import { useEffect, useRef, useState, type ReactElement } from "react";
import { useHost } from "../host/host";
import { useDisconnect } from "../query/mutations";
import { Action } from "../ui/Action";
import { useAnnounce } from "../ui/Announcements";
import { Choices } from "../ui/Choices";
import { AlertIcon } from "../ui/icons";
import { Notice } from "../ui/Notice";
import { Window } from "../ui/Window";
import type { DisconnectAnswer, IntegrationStatusJson, RemoteEventsJson } from "../wire";
import { failureText } from "./failureText";

/** What the question is asked about. */
export interface DisconnectWindowProps {
  readonly status: IntegrationStatusJson;
  /** When `status` was known last, in words, while it is no more than that. */
  readonly lastKnown: string | null;
  readonly onClose: () => void;
  readonly onDisconnected: () => void;
}

/**
 * Asks before the account is disconnected: keep the events at Google, or delete the upcoming ones. Once that is under way the
 * window gives way to the page, which shows how far it is and the way to end it.
 */
export function DisconnectWindow(props: DisconnectWindowProps): ReactElement {
  const { status: present, lastKnown, onClose, onDisconnected } = props;
  const { t } = useHost();
  // The question stays as it was asked, even when the stream tells of the disconnection before the answer is here.
  const [status] = useState(present);
  const announce = useAnnounce();
  const disconnect = useDisconnect();
  const [remoteEvents, setRemoteEvents] = useState<RemoteEventsJson>("keep");

  const isOpen = useRef(true);
  const isDeleting = disconnect.isPending && present.state === "disconnecting" && (present.disconnect?.total ?? 0) > 0;
  useEffect(() => {
    if (!isDeleting || !isOpen.current) return;
    isOpen.current = false;
    onDisconnected();
  }, [isDeleting, onDisconnected]);

  // A promise, not a callback of `mutate`: the window may be gone when the answer arrives.
  const confirm = () => void disconnect.mutateAsync({ remoteEvents }).then(tell, () => undefined);
  const tell = (answer: DisconnectAnswer) => {
    const isUnderWay = answer.status.state === "disconnecting";
    // What the person may have to see to stays in sight until they close it.
    const isLeft = answer.remainingEventCount > 0 || answer.grantEnd === "refused";
    announce(
      isUnderWay ? doneText(answer) : [doneText(answer), ...grantText(answer)].join(" "),
      isUnderWay ? "neutral" : isLeft ? "danger" : "success",
    );
    if (isOpen.current) onDisconnected();
    isOpen.current = false;
  };
  const doneText = (answer: DisconnectAnswer) => {
    if (answer.status.state === "disconnecting") return t("disconnect.goesOn");
    if (answer.remainingEventCount > 0) return t("disconnect.doneRemaining", { count: answer.remainingEventCount });
    if (answer.deletedEventCount > 0) return t("disconnect.doneDeleted", { count: answer.deletedEventCount });
    return t("disconnect.done");
  };
  const grantText = ({ grantEnd }: DisconnectAnswer) => (grantEnd === null ? [] : [t(`disconnect.grant.${grantEnd}`)]);

  return (
    <Window
      role="alertdialog"
      title={t("disconnect.title")}
      caveat={lastKnown}
      isOpen
      // What is under way cannot be called off, by Escape as little as by the button.
      onClose={() => {
        if (!disconnect.isPending) onClose();
      }}
      actions={
        <>
          <Action onPress={onClose} isDisabled={disconnect.isPending}>
            {t("common.cancel")}
          </Action>
          <Action weight="danger" onPress={confirm} isPending={disconnect.isPending}>
            {disconnect.isPending ? t("disconnect.pending") : t("disconnect.confirm")}
          </Action>
        </>
      }
    >
      <p>{t("disconnect.body", { email: status.googleEmail ?? "" })}</p>
      <Choices<RemoteEventsJson>
        label={t("disconnect.question")}
        value={remoteEvents}
        onChange={setRemoteEvents}
        isDisabled={disconnect.isPending}
        choices={[
          { value: "keep", label: t("disconnect.keep"), hint: t("disconnect.keepHint") },
          {
            value: "delete_upcoming",
            label: t("disconnect.delete"),
            hint: t("disconnect.deleteHint", { count: status.counts.upcomingEvents }),
          },
        ]}
      />
      {disconnect.error ? (
        <Notice tone="danger" icon={<AlertIcon />} role="alert">
          {failureText(disconnect.error, t)}
        </Notice>
      ) : null}
    </Window>
  );
}
