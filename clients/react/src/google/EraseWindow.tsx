import { useCallback, useEffect, useRef, useState, type ReactElement } from "react";
import { useHost } from "../host/host";
import type { MessageKey } from "../i18n/catalogue";
import { useErase } from "../query/mutations";
import { Action } from "../ui/Action";
import { useAnnounce } from "../ui/Announcements";
import { AlertIcon, ClockIcon } from "../ui/icons";
import { Notice } from "../ui/Notice";
import { Points } from "../ui/Points";
import { useFocusKept } from "../ui/useFocusKept";
import { Window } from "../ui/Window";
import type { EraseAnswer, IntegrationStatusJson } from "../wire";
import { failureText } from "./failureText";
import { ProgressLine } from "./SyncProgress";

type ErasedKey = MessageKey & `erase.${"goes" | "stays"}.${string}`;

const GOES: readonly ErasedKey[] = ["erase.goes.events", "erase.goes.appointments", "erase.goes.account"];
const STAYS: readonly ErasedKey[] = ["erase.stays.cassius", "erase.stays.own", "erase.stays.journal"];

/** What the question is asked about. */
export interface EraseWindowProps {
  readonly status: IntegrationStatusJson;
  /** When `status` was known last, in words, while it is no more than that. */
  readonly lastKnown: string | null;
  readonly onClose: () => void;
}

/** Names what goes before it is erased, and shows how far that is until it is told done. It goes on without the window. */
export function EraseWindow({ status, lastKnown, onClose }: EraseWindowProps): ReactElement {
  const { t } = useHost();
  const announce = useAnnounce();
  const { mutate, isPending, error } = useErase();
  const [answer, setAnswer] = useState<EraseAnswer | null>(null);
  const words = useRef<HTMLDivElement>(null);
  const isDisconnecting = answer?.status.state === "disconnecting";
  // What remains of a disconnect that is under way may still go.
  const left = answer === null || isDisconnecting ? 0 : answer.remainingEventCount;
  const take = useCallback(
    (next: EraseAnswer) => {
      setAnswer(next);
      if (!next.isDone) return;
      announce(left > 0 ? t("erase.doneLeft", { count: left }) : t("erase.done"));
      onClose();
    },
    [announce, left, onClose, t],
  );

  // Once the disconnect is over, one more question tells what came of it.
  const isAtEnd = isDisconnecting && status.state === "not_connected";
  const isAsked = useRef(false);
  useEffect(() => {
    if (!isAtEnd || isAsked.current) return;
    isAsked.current = true;
    mutate({}, { onSuccess: take });
  }, [isAtEnd, mutate, take]);

  const isBegun = answer !== null || isPending;
  const isUnderWay = isPending || (isDisconnecting && error === null);
  const isLeft = answer !== null && !isUnderWay && !isDisconnecting;
  const isForGood = isUnderWay || (isLeft && left === 0);
  // The button that began it goes, and the focus with it.
  useFocusKept(words, isForGood ? 1 : 2);

  const erase = (leaveEvents: boolean) => mutate(leaveEvents ? { leaveEvents } : {}, { onSuccess: take });
  const action = (label: string, leaveEvents: boolean) => (
    <Action weight="danger" onPress={() => erase(leaveEvents)}>
      {label}
    </Action>
  );
  return (
    <Window
      role="alertdialog"
      title={t(isBegun ? "erase.titleBegun" : "erase.title")}
      caveat={lastKnown}
      isOpen
      onClose={onClose}
      actions={
        <>
          <Action onPress={onClose}>{t(isBegun ? "common.close" : "common.cancel")}</Action>
          {isForGood ? null : isLeft ? action(t("erase.leave"), true) : action(t("erase.confirm"), false)}
        </>
      }
    >
      <div ref={words} tabIndex={-1} role="status" className="cc-window-body">
        {isUnderWay ? <UnderWay disconnect={lastKnown === null ? status.disconnect : null} /> : null}
        {isLeft ? <Left count={left} /> : null}
        {isUnderWay || isLeft ? null : <Question status={status} />}
      </div>
      {error ? (
        <Notice tone="danger" icon={<AlertIcon />} role="alert">
          {failureText(error, t)}
        </Notice>
      ) : null}
    </Window>
  );
}

function Question({ status: { state } }: Pick<EraseWindowProps, "status">): ReactElement {
  const { t } = useHost();
  return (
    <>
      <p>
        {state === "not_connected" ? null : `${t("erase.disconnects")} `}
        {t("erase.body")}
      </p>
      <Points title={t("erase.goes")} points={GOES.map((key) => t(key))} isTicked={false} />
      <Points title={t("erase.stays")} points={STAYS.map((key) => t(key))} isTicked />
    </>
  );
}

/** `disconnect` is how far it is; `null` where there is nothing to delete, and while nobody can say. */
function UnderWay({ disconnect }: Pick<IntegrationStatusJson, "disconnect">): ReactElement {
  const { t } = useHost();
  return (
    <>
      <p>{t("erase.goesOn")}</p>
      {disconnect !== null && disconnect.total > 0 ? (
        <ProgressLine label={t("disconnecting.progress")} progress={disconnect} />
      ) : null}
    </>
  );
}

/** What could not be erased: events out of reach, or else the permission that Google has not withdrawn yet. */
function Left({ count }: { readonly count: number }): ReactElement {
  const { t } = useHost();
  if (count === 0) {
    return (
      <Notice tone="neutral" icon={<ClockIcon />} title={t("erase.granted")}>
        {t("erase.grantedBody")}
      </Notice>
    );
  }
  return (
    <Notice tone="warning" icon={<AlertIcon />} title={t("erase.left", { count })}>
      {t("erase.leftBody", { count })}
    </Notice>
  );
}
