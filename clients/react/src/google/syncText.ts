/** Says what became of asking the service to catch up, the same words wherever that is asked. */
import type { Translate } from "../i18n/message";
import type { SyncNowAnswer } from "../wire";

/** Answers a sentence for an answer. */
export function syncText(answer: SyncNowAnswer, t: Translate): string {
  if (answer.queuedCount > 0) return `${t("progress.started")} ${t("progress.queued", { count: answer.queuedCount })}`;
  return answer.status.catchUp ? t("progress.joined") : t("progress.nothing");
}
