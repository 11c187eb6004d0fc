import type { ReactElement, ReactNode } from "react";
import { Button } from "react-aria-components";
import { useNow } from "../host/browser";
import { useHost } from "../host/host";
import { day, timeOfDay } from "../i18n/moment";
import { useCompare, useSyncNow } from "../query/mutations";
import { keys } from "../query/keys";
import type { StatusView } from "../query/useStatus";
import { Action } from "../ui/Action";
import { useAnnounce } from "../ui/Announcements";
import { CopyableId } from "../ui/CopyableId";
import { GoogleLink } from "../ui/GoogleLink";
import { SyncIcon } from "../ui/icons";
import { Moment } from "../ui/Moment";
import type { IntegrationStatusJson } from "../wire";
import { whyNotChoose, whyNotSend, whyOffline } from "./blocked";
import { CalendarName } from "./CalendarSelect";
import { Comparison } from "./Comparison";
import { failureText } from "./failureText";
import { catchUpShown, isConnected, rowWord, healthOf } from "./health";
import { HealthPill } from "./HealthPill";
import { SyncProgress } from "./SyncProgress";
import { syncText } from "./syncText";

/** What the connected account is drawn from. */
export interface ConnectedProps {
  readonly status: IntegrationStatusJson;
  /** How fresh `status` is. */
  readonly view: StatusView;
  readonly onChangeCalendar: () => void;
  readonly onDisconnect: () => void;
  /** Goes to the appointments that one has to see to. */
  readonly onShowRefused: () => void;
}

/** The connected account, its calendar and how the sending stands, each with what can be done about it. */
export function Connected(props: ConnectedProps): ReactElement {
  const { status, view, onChangeCalendar, onDisconnect, onShowRefused } = props;
  const { isOnline } = view;
  const { t, locale, googleCalendarUrl } = useHost();
  // While the account is being disconnected there is nothing to be done about it here.
  const isAlive = isConnected(status);

  return (
    <dl className="cc-rows">
      <Row
        term={t("connection.account")}
        isOver={!isAlive}
        action={
          <Action blocked={whyOffline(isOnline, t)} onPress={onDisconnect}>
            {t("connection.disconnect")}
          </Action>
        }
      >
        <span className="cc-strong cc-break">{status.googleEmail}</span>
        {status.connectTime === null ? null : (
          <span className="cc-hint">{t("connection.since", { date: day(new Date(status.connectTime), locale) })}</span>
        )}
      </Row>
      <Row
        term={t("connection.calendar")}
        isOver={!isAlive}
        action={
          <Action blocked={whyNotChoose(status, isOnline, t)} onPress={onChangeCalendar}>
            {t("connection.change")}
          </Action>
        }
      >
        {status.calendar === null ? null : (
          <>
            <span className="cc-strong">
              <CalendarName calendar={status.calendar} />
            </span>
            <span className="cc-calendar-links">
              {status.googleEmail === null ? null : (
                <GoogleLink href={googleCalendarUrl(status.googleEmail)} about={status.calendar.name} />
              )}
              {status.calendar.id === status.calendar.name || status.calendar.id === status.googleEmail ? null : (
                <CopyableId id={status.calendar.id} label={t("connection.copyCalendarId")} />
              )}
            </span>
          </>
        )}
      </Row>
      {isAlive ? (
        <SyncRow status={status} view={view} onShowRefused={onShowRefused} />
      ) : (
        <EndingRow status={status} view={view} />
      )}
    </dl>
  );
}

function SyncRow(props: Pick<ConnectedProps, "status" | "view" | "onShowRefused">): ReactElement {
  const { status, view, onShowRefused } = props;
  const { isOnline } = view;
  const { client, queryClient, locale, t } = useHost();
  const now = useNow();
  const announce = useAnnounce();
  const syncNow = useSyncNow();
  const compare = useCompare();
  // While Google asks for patience nothing is at work: the rest goes at the next try.
  const isWaiting = status.problem?.action === "wait";
  // Nobody knows whether anything is still at work, or when, while the service cannot be asked.
  const isCurrent = !view.isLastKnown;
  const nextTry = isWaiting && isCurrent ? (status.problem?.retryTime ?? null) : null;
  const resumes =
    nextTry === null ? null : t("connection.resumes", { time: timeOfDay(new Date(nextTry), now, locale) });
  const isWaitedFor = status.catchUp !== null && isWaiting;
  const start = () => {
    // A double click comes before the button is drawn as pending.
    if (queryClient.isMutating({ mutationKey: keys.syncNow(client) }) > 0) return;
    syncNow.mutate(undefined, {
      onSuccess: (answer) => {
        // What was found is being mended.
        compare.reset();
        announce(syncText(answer, t));
      },
      onError: (failure) => announce(failureText(failure, t), "danger"),
    });
  };
  const isPending = syncNow.isPending || (isCurrent && catchUpShown(status) === "moving");
  const blocked = whyNotSend(status, isOnline, t) ?? (isWaitedFor ? (resumes ?? t("blocked.waiting")) : null);
  return (
    <Row
      term={t("connection.sync")}
      foot={<SyncProgress status={status} isLastKnown={view.isLastKnown} />}
      end={
        <Comparison
          status={status}
          isOnline={isOnline}
          compare={compare}
          mend={{ isPending, blocked, onPress: start }}
        />
      }
      action={
        <Action icon={<SyncIcon />} isPending={isPending} blocked={blocked} onPress={start}>
          {t("connection.syncNow")}
        </Action>
      }
    >
      <span className="cc-sync-state">
        <HealthPill view={view} wordOf={rowWord} />
        {resumes === null ? null : <span className="cc-hint">{resumes}</span>}
        {/* Where they are what the notice is about, its own button leads to them. */}
        {status.counts.error > 0 && healthOf(status) !== "refused" ? (
          <Button className="cc-aside" onPress={onShowRefused}>
            {t("connection.showRefused", { count: status.counts.error })}
          </Button>
        ) : null}
      </span>
      <LastSync status={status} />
    </Row>
  );
}

/** The sending while the account is being disconnected: over, with how it stood. */
function EndingRow({ status, view }: Pick<ConnectedProps, "status" | "view">): ReactElement {
  const { t } = useHost();
  return (
    <Row
      term={t("connection.sync")}
      foot={<SyncProgress status={status} isLastKnown={view.isLastKnown} />}
      action={null}
    >
      <span className="cc-sync-state">
        <HealthPill view={view} wordOf={rowWord} />
      </span>
      <LastSync status={status} />
    </Row>
  );
}

function LastSync({ status }: { readonly status: IntegrationStatusJson }): ReactElement {
  const { t } = useHost();
  return (
    <span className="cc-hint">
      {status.lastSyncTime === null ? (
        t("connection.neverSynced")
      ) : (
        <>
          {t("connection.lastSync")} <Moment instant={status.lastSyncTime} tense="past" />
        </>
      )}
    </span>
  );
}

function Row(props: {
  readonly term: string;
  readonly children: ReactNode;
  readonly action: ReactNode;
  /** The action is not to be had any more: it leaves its room behind, so that nothing moves. */
  readonly isOver?: boolean;
  readonly foot?: ReactNode;
  /** Below all else, in a narrow page below the action too. */
  readonly end?: ReactNode;
}): ReactElement {
  return (
    <div className="cc-row">
      <dt className="cc-row-term">{props.term}</dt>
      <dd className="cc-row-value">{props.children}</dd>
      {/* Another element, so that focus leaves a button that is over at once. */}
      <dd
        key={props.isOver ? "over" : "to be had"}
        className={props.isOver ? "cc-row-action cc-room" : "cc-row-action"}
        aria-hidden={props.isOver}
      >
        {props.action}
      </dd>
      {props.foot === undefined ? null : <dd className="cc-row-foot">{props.foot}</dd>}
      {props.end === undefined ? null : <dd className="cc-row-end">{props.end}</dd>}
    </div>
  );
}
