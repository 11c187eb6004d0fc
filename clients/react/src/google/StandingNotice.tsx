/**
 * What stands below the title: how the integration is doing in a sentence, and the one thing to do about it. It has its place
 * in every state, so that nothing below it moves when the standing changes.
 */
import { useEffect, useRef, useState, type ReactElement, type ReactNode } from "react";
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
import { healthNotice } from "./Health";
import { OtherAccount } from "./OtherAccount";
import { outcomeNotice, type ShownOutcome } from "./outcome";
import { problemNotice } from "./problem";
import { ProblemTimes } from "./ProblemTimes";
import { STANDING_ANCHOR, standingOf } from "./standing";
import { useEnable } from "./useEnable";

/** What the notice is drawn from. */
export interface StandingNoticeProps {
  readonly view: StatusView;
  readonly outcome: ShownOutcome;
  readonly onChooseCalendar: () => void;
  /** Goes to the appointments that one has to see to. */
  readonly onShowRefused: () => void;
}

/** The notice in its place. The place takes the focus of who comes from the badge, and of who answered what stood there. */
export function StandingNotice(props: StandingNoticeProps): ReactElement {
  const { view, outcome } = props;
  const { t } = useHost();
  const { status } = view;
  const place = useRef<HTMLDivElement>(null);
  const isWithin = useRef(false);
  useEffect(() => {
    // What was done takes its own button away, and the focus with it.
    if (isWithin.current && document.activeElement === document.body) place.current?.focus();
  });
  useAnchorFocus(place, STANDING_ANCHOR, status !== undefined);
  const health = healthNotice(view, t);
  const told = health ?? (outcome.word === null ? null : outcomeNotice(outcome, status, t));
  return (
    <div
      className="cc-standing"
      id={STANDING_ANCHOR}
      ref={place}
      tabIndex={-1}
      role="group"
      aria-label={t("standing.label")}
      onFocus={() => {
        isWithin.current = true;
      }}
      onBlur={() => {
        isWithin.current = false;
      }}
    >
      {/* What comes into the region is read out: it is there before its words are. */}
      <div role="status" className="cc-standing-told">
        <Told notice={told} action={health || !status ? null : <StandingAction {...props} status={status} />} />
      </div>
      {told ? null : status ? (
        <Standing {...props} status={status} onAnswered={() => place.current?.focus()} />
      ) : (
        <StandingSkeleton />
      )}
    </div>
  );
}

/** What happens beside the standing: no network, no service, the end of a consent. */
function Told(props: { readonly notice: NoticeProps | null; readonly action: ReactNode }): ReactElement | null {
  const { notice, action } = props;
  const [isTold, setTold] = useState(false);
  useEffect(() => {
    const frame = requestAnimationFrame(() => setTold(true));
    return () => cancelAnimationFrame(frame);
  }, []);
  if (notice === null) return null;
  return (
    <div style={{ visibility: isTold ? "visible" : "hidden" }}>
      <Notice {...notice} {...(action === null ? {} : { actions: action })} />
    </div>
  );
}

type WithStatus = StandingNoticeProps & { readonly status: IntegrationStatusJson };

function Standing(props: WithStatus & { readonly onAnswered: () => void }): ReactElement {
  const { status, view, onChooseCalendar, onAnswered } = props;
  const { t } = useHost();
  const { isOnline } = view;
  if (status.pendingAccount) {
    return <OtherAccount status={status} pending={status.pendingAccount} isOnline={isOnline} onAnswered={onAnswered} />;
  }
  const standing = standingOf(status);
  if (standing === "disconnecting") return <Disconnecting status={status} isOnline={isOnline} />;
  if (standing === "unsent") {
    return <FirstSend status={status} isOnline={isOnline} onChooseCalendar={onChooseCalendar} onSent={onAnswered} />;
  }
  return <Notice {...standingWords(status, t)} actions={<StandingAction {...props} />} />;
}

function standingWords(status: IntegrationStatusJson, t: Translate): NoticeProps {
  const { counts, problem } = status;
  const standing = standingOf(status);
  switch (standing) {
    case "not_connected":
      return {
        tone: "neutral",
        icon: <CalendarIcon />,
        title: t("connection.pitch"),
        children: <p>{t("connection.pitchBody")}</p>,
      };
    case "stopped":
    case "delayed":
      if (problem) return { ...problemNotice(problem, t), children: <ProblemTimes problem={problem} /> };
      return { tone: "danger", icon: <AlertIcon />, title: t("problem.unknown.title") };
    case "paused": {
      const waiting = counts.pending + counts.unsent;
      return {
        tone: "neutral",
        icon: <ClockIcon />,
        title: t("standing.paused"),
        children: <p>{waiting > 0 ? t("standing.pausedWaiting", { count: waiting }) : t("options.enabledHint")}</p>,
      };
    }
    case "refused":
      return {
        tone: "danger",
        icon: <AlertIcon />,
        title: t("standing.refused", { count: counts.error }),
        children: <p>{t("standing.refusedBody", { count: counts.error })}</p>,
      };
    case "syncing":
      return {
        tone: "accent",
        icon: <SyncIcon />,
        title: t("standing.syncing"),
        children: <p>{t("standing.syncingBody")}</p>,
      };
    case "working":
    case "unsent":
    case "disconnecting":
      return {
        tone: "success",
        icon: <CheckIcon />,
        title: t("standing.working"),
        children: (
          <p>{counts.pending > 0 ? t("standing.waiting", { count: counts.pending }) : t("standing.workingBody")}</p>
        ),
      };
  }
}

/** The one thing to do; nothing where there is nothing to do. */
function StandingAction({ status, view, onChooseCalendar, onShowRefused }: WithStatus): ReactElement | null {
  const { t } = useHost();
  const enable = useEnable();
  const blocked = whyOffline(view.isOnline, t);
  switch (standingOf(status)) {
    case "not_connected":
      return <ConnectAction label={t("connection.connect")} />;
    case "stopped":
      if (status.problem?.action === "reconnect") return <ConnectAction label={t("connection.reconnect")} />;
      if (status.problem?.action !== "choose_calendar") return null;
      return (
        <Action weight="primary" blocked={blocked} onPress={onChooseCalendar}>
          {t("problem.choose")}
        </Action>
      );
    case "paused":
      return (
        <Action isPending={enable.isPending} blocked={blocked} onPress={() => enable.run(true)}>
          {t("standing.resume")}
        </Action>
      );
    case "refused":
      return <Action onPress={onShowRefused}>{t("standing.showRefused")}</Action>;
    case "delayed":
    case "unsent":
    case "syncing":
    case "working":
    case "disconnecting":
      return null;
  }
}

function StandingSkeleton(): ReactElement {
  return (
    <div className="cc-notice cc-tone-neutral" aria-hidden="true">
      <div className="cc-notice-words">
        <Skeleton width="16rem" />
        <Skeleton width="22rem" />
      </div>
    </div>
  );
}
