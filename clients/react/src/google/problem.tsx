/** The words for what is wrong with the whole integration: a delay is told as a delay. */
import type { MessageKey } from "../i18n/catalogue";
import type { Translate } from "../i18n/message";
import { AlertIcon, ClockIcon } from "../ui/icons";
import type { NoticeProps } from "../ui/Notice";
import type { ProblemJson } from "../wire";

const WORDED = [
  "RECONNECT_REQUIRED",
  "CALENDAR_UNAVAILABLE",
  "GOOGLE_THROTTLED",
  "GOOGLE_UNAVAILABLE",
  "GOOGLE_MISCONFIGURED",
  "ACCOUNT_UNAVAILABLE",
  "KEYRING_INCOMPLETE",
  "INTERNAL",
] as const;

interface Words {
  readonly title: MessageKey & `problem.${string}.title`;
  readonly body: (MessageKey & `problem.${string}.body`) | null;
}

/** The notice of a problem, without its times. */
export function problemNotice(problem: ProblemJson, t: Translate): NoticeProps {
  const isDelay = problem.action === "wait";
  return {
    tone: isDelay ? "warning" : "danger",
    icon: isDelay ? <ClockIcon /> : <AlertIcon />,
    title: t(wordsFor(problem).title),
  };
}

/** What is to be done about a problem, or that nothing is: the service's own sentence where the reason is not known here. */
export function problemBody(problem: ProblemJson, t: Translate): string {
  const { body } = wordsFor(problem);
  return body === null ? problem.message : t(body);
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
