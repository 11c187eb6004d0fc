import type { ReactElement } from "react";
import { useHost } from "../host/host";
import type { MessageKey } from "../i18n/catalogue";
import type { Translate } from "../i18n/message";
import { dayAndTime } from "../i18n/moment";
import { useHistory } from "../query/queries";
import { Skeleton } from "../ui/Skeleton";

const ANSWERS = [
  "stored",
  "found",
  "deleted",
  "gone",
  "not_found",
  "already_exists",
  "changed",
  "calendar_open",
  "calendar_read_only",
  "calendar_missing",
  "not_permitted",
  "forbidden",
  "account_refused",
  "refused",
  "throttled",
  "unauthorized",
  "scope_missing",
  "misconfigured",
  "unavailable",
] as const;

/** The latest calls of Google for one appointment, for whoever is asked why it is not there. */
export function CallHistory({ id }: { readonly id: string }): ReactElement {
  const { t, locale } = useHost();
  const history = useHistory(id);
  if (history.error) return <p className="cc-hint">{t("history.failed")}</p>;
  if (history.data === undefined) return <Skeleton width="14rem" />;
  if (history.data.calls.length === 0) return <p className="cc-hint">{t("history.none")}</p>;
  return (
    <ol className="cc-history" aria-label={t("history.title")}>
      {history.data.calls.map(({ time, method, answer, durationMs }, index) => (
        <li key={`${String(time)} ${index}`}>
          {time === null ? null : <time dateTime={time}>{dayAndTime(new Date(time), locale, null)}</time>}{" "}
          <code>{method}</code> {answerText(answer, t)} ({t("history.took", { count: Math.round(durationMs) })})
        </li>
      ))}
    </ol>
  );
}

/** What Google answered, in words; an answer that is newer than these pages by its name. */
function answerText(answer: string, t: Translate): string {
  const known = ANSWERS.find((each) => each === answer);
  const key: (MessageKey & `history.answer.${string}`) | null = known ? `history.answer.${known}` : null;
  return key === null ? answer : t(key);
}
