import type { ReactElement } from "react";
import { useNow } from "../host/browser";
import { useHost } from "../host/host";
import type { MessageKey } from "../i18n/catalogue";
import { timeOfDay } from "../i18n/moment";
import { Action } from "../ui/Action";
import { AlertIcon, ClockIcon } from "../ui/icons";
import { Moment } from "../ui/Moment";
import { Notice } from "../ui/Notice";
import type { ProblemJson } from "../wire";
import { ConnectAction } from "./NotConnected";

const WORDED = [
  "RECONNECT_REQUIRED",
  "CALENDAR_UNAVAILABLE",
  "GOOGLE_THROTTLED",
  "GOOGLE_UNAVAILABLE",
  "GOOGLE_MISCONFIGURED",
  "ACCOUNT_UNAVAILABLE",
] as const;

interface Words {
  readonly title: MessageKey & `problem.${string}.title`;
  readonly body: (MessageKey & `problem.${string}.body`) | null;
}

/** What is wrong with the whole integration and what to do about it; a delay is told as a delay. */
export function ProblemNotice(props: {
  readonly problem: ProblemJson;
  readonly isOnline: boolean;
  readonly onChooseCalendar: () => void;
}): ReactElement {
  const { problem, isOnline, onChooseCalendar } = props;
  const { t } = useHost();
  const words = wordsFor(problem);
  const isDelay = problem.action === "wait";
  return (
    <Notice
      tone={isDelay ? "warning" : "danger"}
      icon={isDelay ? <ClockIcon /> : <AlertIcon />}
      title={t(words.title)}
      {...(problem.action === "reconnect" ? { actions: <ConnectAction label={t("connection.reconnect")} /> } : {})}
      {...(problem.action === "choose_calendar"
        ? {
            actions: (
              <Action weight="primary" isBlocked={!isOnline} onPress={onChooseCalendar}>
                {t("problem.choose")}
              </Action>
            ),
          }
        : {})}
    >
      <p>{words.body === null ? problem.message : t(words.body)}</p>
      <ProblemTimes problem={problem} isDelay={isDelay} />
    </Notice>
  );
}

function ProblemTimes({
  problem,
  isDelay,
}: {
  readonly problem: ProblemJson;
  readonly isDelay: boolean;
}): ReactElement | null {
  const { t, locale } = useHost();
  const now = useNow();
  if (isDelay && problem.retryTime !== null) {
    return (
      <p className="cc-notice-times">
        {t("connection.nextTry")} <strong>{timeOfDay(new Date(problem.retryTime), now, locale)}</strong> (
        <Moment instant={problem.retryTime} tense="future" />)
      </p>
    );
  }
  if (problem.sinceTime === null) return null;
  const [before = "", after = ""] = t("problem.since", { when: "\u0000" }).split("\u0000");
  return (
    <p className="cc-notice-times">
      {before}
      <Moment instant={problem.sinceTime} tense="past" />
      {after}
    </p>
  );
}

/** Names a problem. */
export function problemTitle(problem: ProblemJson): Words["title"] {
  return wordsFor(problem).title;
}

function wordsFor(problem: ProblemJson): Words {
  const reason = WORDED.find((each) => each === problem.reason);
  return reason
    ? { title: `problem.${reason}.title`, body: `problem.${reason}.body` }
    : { title: "problem.unknown.title", body: null };
}
