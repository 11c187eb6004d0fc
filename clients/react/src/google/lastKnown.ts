/**
 * When what the page shows was known last, in words: said wherever something is shown that only the service knows, for as
 * long as nobody can be asked.
 */
import { useNow } from "../host/browser";
import { useHost } from "../host/host";
import { timeOfDay } from "../i18n/moment";
import type { StatusView } from "../query/useStatus";

/** Answers the words; `null` while what is shown is known, and where nothing ever was. */
export function useLastKnown({ isLastKnown, knownAt }: Pick<StatusView, "isLastKnown" | "knownAt">): string | null {
  const { t, locale } = useHost();
  const now = useNow();
  return isLastKnown && knownAt !== null ? t("known.last", { time: timeOfDay(knownAt, now, locale) }) : null;
}
