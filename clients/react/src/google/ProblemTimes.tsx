import type { ReactElement } from "react";
import { useNow } from "../host/browser";
import { useHost } from "../host/host";
import { timeOfDay } from "../i18n/moment";
import { Moment } from "../ui/Moment";
import type { ProblemJson } from "../wire";
import { problemBody } from "./problem";

/** What the words are drawn from. */
export interface ProblemTimesProps {
  readonly problem: ProblemJson;
  readonly mayChange: boolean;
}

/**
 * What is to be done about a problem, or whom to tell for who may do nothing; and since when it stands, or of a delay when
 * the next try is.
 */
export function ProblemTimes({ problem, mayChange }: ProblemTimesProps): ReactElement {
  const { t } = useHost();
  return (
    <p>
      {mayChange || problem.action === "wait" ? problemBody(problem, t) : t("looking.tell")} <Times problem={problem} />
    </p>
  );
}

function Times({ problem }: { readonly problem: ProblemJson }): ReactElement | null {
  const { t, locale } = useHost();
  const now = useNow();
  if (problem.action === "wait" && problem.retryTime !== null) {
    return (
      <span className="cc-next-try">
        {t("connection.nextTry")} <strong>{timeOfDay(new Date(problem.retryTime), now, locale)}</strong>{" "}
        <span className="cc-unbroken">
          (<Moment instant={problem.retryTime} tense="future" />)
        </span>
      </span>
    );
  }
  if (problem.sinceTime === null) return null;
  const [before = "", after = ""] = t("problem.since", { when: "\u0000" }).split("\u0000");
  return (
    <>
      {before}
      <Moment instant={problem.sinceTime} tense="past" />
      {after}
    </>
  );
}
