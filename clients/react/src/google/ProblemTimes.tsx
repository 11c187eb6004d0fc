import type { ReactElement } from "react";
import { useNow } from "../host/browser";
import { useHost } from "../host/host";
import { timeOfDay } from "../i18n/moment";
import { Moment } from "../ui/Moment";
import type { ProblemJson } from "../wire";
import { problemBody } from "./problem";

/** What is to be done about a problem, and since when it stands; of a delay, when the next try is. */
export function ProblemTimes({ problem }: { readonly problem: ProblemJson }): ReactElement {
  const { t } = useHost();
  return (
    <p>
      {problemBody(problem, t)} <Times problem={problem} />
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
