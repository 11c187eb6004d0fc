import { useRef, useState, type ReactElement } from "react";
import { useHost } from "../host/host";
import type { useCompare } from "../query/mutations";
import { keys } from "../query/keys";
import { Action, type ActionProps } from "../ui/Action";
import { useAnnounce } from "../ui/Announcements";
import { Moment } from "../ui/Moment";
import { useFocusKept } from "../ui/useFocusKept";
import type { IntegrationStatusJson } from "../wire";
import { whyNotAsk } from "./blocked";
import { comparisonText, isInStep, isToMend } from "./comparisonText";
import { failureText } from "./failureText";

/** What the comparison is drawn from. */
export interface ComparisonProps {
  readonly status: IntegrationStatusJson;
  readonly isOnline: boolean;
  /** The comparison, which whoever starts a sync resets. */
  readonly compare: ReturnType<typeof useCompare>;
  /** How the sync stands that mends what was found, and what starts it. */
  readonly mend: Pick<ActionProps, "isPending" | "blocked" | "onPress">;
}

/** How Google differs from what Cassius holds, counted when asked; where a sync would mend something, the way to it. */
export function Comparison({ status, isOnline, compare, mend }: ComparisonProps): ReactElement {
  const { client, queryClient, t } = useHost();
  const announce = useAnnounce();
  const words = useRef<HTMLDivElement>(null);
  // The room of a result is taken with the press that asks for it: nothing moves when it comes, however late.
  const [isAsked, setAsked] = useState(false);
  // What was counted in another account or calendar says nothing of this one.
  const found = compare.data && isOfSamePlace(compare.data.status, status) ? compare.data.comparison : null;
  const isMending = found !== null && isToMend(found);
  // « Corriger » goes with what it was about.
  useFocusKept(words, isMending ? 1 : 0);
  const start = () => {
    // A double click comes before the button is drawn as pending.
    if (queryClient.isMutating({ mutationKey: keys.compare(client) }) > 0) return;
    setAsked(true);
    compare.mutate(undefined, {
      onSuccess: ({ comparison }) => {
        if (comparison !== null) announce(comparisonText(comparison, t), isInStep(comparison) ? "success" : "neutral");
      },
      onError: (failure) => announce(failureText(failure, t), "danger"),
    });
  };
  return (
    <div className={isAsked ? "cc-comparison cc-comparison-asked" : "cc-comparison"}>
      <div className="cc-comparison-actions">
        <Action isPending={compare.isPending} blocked={whyNotAsk(status, isOnline, t)} onPress={start}>
          {compare.isPending ? t("compare.pending") : t("compare.start")}
        </Action>
        {isMending ? <Action {...mend}>{t("compare.mend")}</Action> : null}
      </div>
      <div ref={words} className="cc-comparison-words" role="group" aria-label={t("compare.last")} tabIndex={-1}>
        {found === null ? (
          <p className="cc-hint">{t("compare.hint")}</p>
        ) : (
          <>
            <p>{comparisonText(found, t)}</p>
            <p className="cc-hint">
              {t("compare.last")} <Moment instant={new Date(compare.submittedAt).toISOString()} tense="past" />
            </p>
          </>
        )}
      </div>
    </div>
  );
}

function isOfSamePlace(one: IntegrationStatusJson, other: IntegrationStatusJson): boolean {
  return one.googleEmail === other.googleEmail && one.calendar?.id === other.calendar?.id;
}
