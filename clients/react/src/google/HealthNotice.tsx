/**
 * What stands below the title: how the integration is doing in a sentence, and the one thing to do about it. It has its
 * place in every state, so that nothing below it moves when the health changes.
 */
import { useEffect, useRef, useState, type ReactElement } from "react";
import { useHost } from "../host/host";
import { useAnchorFocus } from "../host/useAnchorFocus";
import { Action } from "../ui/Action";
import { AlertIcon, CalendarIcon, CheckIcon, ClockIcon, SyncIcon } from "../ui/icons";
import { Notice, type NoticeProps } from "../ui/Notice";
import { Skeleton } from "../ui/Skeleton";
import type { StatusView } from "../query/useStatus";
import type { Translate } from "../i18n/message";
import type { IntegrationStatusJson } from "../wire";
import { whyOffline } from "./blocked";
import { ConnectAction } from "./ConnectAction";
import { Disconnecting } from "./Disconnecting";
import { FirstSend } from "./FirstSend";
import { reachabilityNotice } from "./Reachability";
import { OtherAccount } from "./OtherAccount";
import { outcomeNotice, type ShownOutcome } from "./outcome";
import { problemNotice } from "./problem";
import { ProblemTimes } from "./ProblemTimes";
import { HEALTH_ANCHOR, healthOf, type Health } from "./health";
import { useEnable } from "./useEnable";

/** What the notice is drawn from. */
export interface HealthNoticeProps {
  readonly view: StatusView;
  readonly outcome: ShownOutcome;
  /** Otherwise it is told how things stand, and nothing is offered. */
  readonly mayChange: boolean;
  readonly onChooseCalendar: () => void;
  /** Goes to the appointments that one has to see to. */
  readonly onShowRefused: () => void;
}

/** The notice in its place. The place takes the focus of who comes from the badge, and of who answered what stood there. */
export function HealthNotice(props: HealthNoticeProps): ReactElement {
  const { t } = useHost();
  const { status } = props.view;
  const place = useRef<HTMLDivElement>(null);
  const [isTold, setTold] = useState(false);
  useEffect(() => {
    const frame = requestAnimationFrame(() => setTold(true));
    return () => cancelAnimationFrame(frame);
  }, []);
  const last = useRef<Element | null>(null);
  useEffect(() => {
    // What was done takes its own button away, and the focus with it: at once, or as soon as its window closes.
    if (last.current?.isConnected === false && document.activeElement === document.body) place.current?.focus();
  });
  // Back from Google the page begins at its title.
  useAnchorFocus(place, HEALTH_ANCHOR, status !== undefined && props.outcome.told === null);
  return (
    <div
      className="cc-health"
      id={HEALTH_ANCHOR}
      ref={place}
      tabIndex={-1}
      role="group"
      aria-label={t("health.label")}
      onFocus={({ target }) => {
        if (target !== place.current && place.current?.contains(target)) last.current = target;
      }}
      onBlur={({ target, relatedTarget }) => {
        // A window gives the focus back to the button that has opened it.
        const isOpened = relatedTarget?.closest("[role=dialog], [role=alertdialog]") != null;
        if (place.current?.contains(target) && !isOpened) last.current = null;
      }}
    >
      <Content {...props} isTold={isTold} onAnswered={() => place.current?.focus()} />
    </div>
  );
}

/** What is told beside the question about another account, which is not what one would choose to see to first. */
const WRONG: ReadonlySet<Health> = new Set(["stopped", "paused", "refused", "delayed", "behind"]);

/** One notice for the health and for what happens beside it, so that its button stays the same while the words change. */
function Content(
  props: HealthNoticeProps & { readonly isTold: boolean; readonly onAnswered: () => void },
): ReactElement {
  const { view, outcome, mayChange, isTold, onChooseCalendar, onAnswered } = props;
  const { t } = useHost();
  const { status, isOnline } = view;
  const unreachable = reachabilityNotice(view, t);
  const told = unreachable ?? outcomeNotice(outcome, status, t);
  if (told === null && status && mayChange) {
    if (status.pendingAccount) {
      const beside = { ...status, pendingAccount: null };
      return (
        <OtherAccount
          wrong={WRONG.has(healthOf(beside)) ? healthWords(beside, mayChange, t) : null}
          status={status}
          pending={status.pendingAccount}
          isOnline={isOnline}
          isJustChosen={outcome.told?.word === "other_account"}
          onAnswered={onAnswered}
        />
      );
    }
    const health = healthOf(status);
    if (health === "disconnecting") return <Disconnecting status={status} isOnline={isOnline} />;
    if (health === "unsent") {
      return <FirstSend status={status} isOnline={isOnline} onChooseCalendar={onChooseCalendar} onSent={onAnswered} />;
    }
  }
  const shown = told ?? (status && healthWords(status, mayChange, t));
  if (shown === undefined) return <HealthSkeleton />;
  const action = status && mayChange && !unreachable ? actionOf(props, status) : null;
  const { tone, icon, onClose } = shown;
  return (
    <Notice tone={tone} icon={icon} {...(onClose ? { onClose } : {})} {...(action === null ? {} : { actions: action })}>
      {/* What comes into the region is read out: it is there, as its room is, before its words come into sight. */}
      <div role="status" style={isTold ? undefined : { visibility: "hidden" }}>
        {told ? <Words {...told} /> : null}
      </div>
      {told ? null : <Words {...shown} />}
    </Notice>
  );
}

function Words({ title, children }: NoticeProps): ReactElement {
  return (
    <>
      <p className="cc-notice-title">{title}</p>
      {children}
    </>
  );
}

function healthWords(status: IntegrationStatusJson, mayChange: boolean, t: Translate): NoticeProps {
  const { counts, problem } = status;
  const health = healthOf(status);
  switch (health) {
    case "not_connected":
      return {
        tone: "neutral",
        icon: <CalendarIcon />,
        title: t(mayChange ? "connection.pitch" : "looking.notConnected"),
        children: <p>{t(mayChange ? "connection.pitchBody" : "looking.notConnectedBody")}</p>,
      };
    case "stopped":
    case "delayed":
      if (problem)
        return { ...problemNotice(problem, t), children: <ProblemTimes problem={problem} mayChange={mayChange} /> };
      return {
        tone: "danger",
        icon: <AlertIcon />,
        title: t("problem.unknown.title"),
        children: <p>{t(mayChange ? "problem.INTERNAL.body" : "looking.tell")}</p>,
      };
    case "paused": {
      const waiting = counts.pending + counts.unsent;
      return {
        tone: "neutral",
        icon: <ClockIcon />,
        title: t("health.paused"),
        children: (
          <p>
            {waiting > 0 ? t("health.pausedWaiting", { count: waiting }) : t("options.enabledHint")}
            {counts.error > 0 ? ` ${t("health.pausedRefused", { count: counts.error })}` : null}
          </p>
        ),
      };
    }
    case "refused":
      return {
        tone: "danger",
        icon: <AlertIcon />,
        title: t("health.refused", { count: counts.error }),
        children: (
          <p>
            {t(problem ? "health.refusedDelayed" : "health.refusedBody", { count: counts.error })}
            {mayChange ? null : ` ${t("looking.tell")}`}
          </p>
        ),
      };
    // This, what waits to be sent and a disconnect are told to who may only look: others are asked in their place.
    case "asked":
      return {
        tone: "warning",
        icon: <AlertIcon />,
        title: t("looking.asked"),
        children: (
          <p>
            {t("otherAccount.waitsForOthers", { other: status.pendingAccount?.googleEmail ?? "" })} {t("looking.tell")}
          </p>
        ),
      };
    case "syncing":
      return {
        tone: "accent",
        icon: <SyncIcon />,
        title: t("health.syncing"),
        children: <p>{t("health.syncingBody")}</p>,
      };
    case "unsent":
      return {
        tone: "warning",
        icon: <ClockIcon />,
        title: t("first.title", { count: counts.unsent }),
        children: <p>{t("looking.tell")}</p>,
      };
    case "behind":
      return {
        tone: "warning",
        icon: <AlertIcon />,
        title: t("health.behind", { count: status.behindCount }),
        children: <p>{t(mayChange ? "health.behindBody" : "looking.tell")}</p>,
      };
    case "disconnecting":
      return {
        tone: "neutral",
        icon: <ClockIcon />,
        title: t("state.disconnecting"),
        children: <p>{t("looking.notConnectedBody")}</p>,
      };
    case "working":
      return {
        tone: "success",
        icon: <CheckIcon />,
        title: t("health.working"),
        children: (
          <p>{counts.pending > 0 ? t("health.waiting", { count: counts.pending }) : t("health.workingBody")}</p>
        ),
      };
  }
}

/** The one thing to do; `null` where there is nothing to do. */
function actionOf(props: HealthNoticeProps, status: IntegrationStatusJson): ReactElement | null {
  const { view, onChooseCalendar, onShowRefused } = props;
  const health = healthOf(status);
  switch (health) {
    case "not_connected":
      return <ConnectButton isAnew={false} />;
    case "stopped":
      if (status.problem?.action === "reconnect") return <ConnectButton isAnew />;
      if (status.problem?.action !== "choose_calendar") return null;
      return <ChooseButton isOnline={view.isOnline} onPress={onChooseCalendar} />;
    case "paused":
      return <ResumeButton isOnline={view.isOnline} />;
    case "refused":
      return <ShowButton count={status.counts.error} onPress={onShowRefused} />;
    case "asked":
    case "delayed":
    case "unsent":
    case "syncing":
    case "behind":
    case "working":
    case "disconnecting":
      return null;
  }
}

function ConnectButton({ isAnew }: { readonly isAnew: boolean }): ReactElement {
  const { t } = useHost();
  return <ConnectAction label={t(isAnew ? "connection.reconnect" : "connection.connect")} />;
}

function ChooseButton(props: { readonly isOnline: boolean; readonly onPress: () => void }): ReactElement {
  const { t } = useHost();
  return (
    <Action weight="primary" blocked={whyOffline(props.isOnline, t)} onPress={props.onPress}>
      {t("problem.choose")}
    </Action>
  );
}

function ResumeButton({ isOnline }: { readonly isOnline: boolean }): ReactElement {
  const { t } = useHost();
  const enable = useEnable();
  return (
    <Action isPending={enable.isPending} blocked={whyOffline(isOnline, t)} onPress={() => enable.run(true)}>
      {t("health.resume")}
    </Action>
  );
}

function ShowButton({ count, onPress }: { readonly count: number; readonly onPress: () => void }): ReactElement {
  const { t } = useHost();
  return <Action onPress={onPress}>{t("health.showRefused", { count })}</Action>;
}

function HealthSkeleton(): ReactElement {
  return (
    <div className="cc-notice cc-tone-neutral" aria-hidden="true">
      <span className="cc-notice-icon">
        <Skeleton width="1.25rem" height="1.25rem" />
      </span>
      <div className="cc-notice-words">
        <Skeleton width="16rem" />
        <Skeleton width="22rem" />
      </div>
    </div>
  );
}
