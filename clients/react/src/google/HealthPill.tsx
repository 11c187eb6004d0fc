import type { ReactElement } from "react";
import { useHost } from "../host/host";
import type { StatusView } from "../query/useStatus";
import { Pill } from "../ui/Pill";
import { Skeleton } from "../ui/Skeleton";
import { titleWord } from "./health";

/** What the word is drawn from. */
export interface HealthPillProps {
  readonly view: StatusView;
  /** Default: as beside the title. */
  readonly wordOf?: typeof titleWord;
}

/**
 * How the integration is doing, in a word: beside the title of its page, on its card, in the settings' overview, and in the
 * row of the sending. What was true before the network, the service or the session went is no longer claimed, as the
 * badge claims nothing then.
 */
export function HealthPill({ view, wordOf = titleWord }: HealthPillProps): ReactElement {
  const { t } = useHost();
  if (view.isSignedOut) return <Pill tone="neutral">{t("state.signedOut")}</Pill>;
  if (!view.isOnline) return <Pill tone="neutral">{t("state.offline")}</Pill>;
  if (view.status && !view.isLastKnown && view.failure?.kind !== "forbidden") {
    const { tone, word } = wordOf(view.status, t);
    return <Pill tone={tone}>{word}</Pill>;
  }
  if (view.status || view.failure) return <Pill tone="neutral">{t("state.unknown")}</Pill>;
  return <Skeleton width="6.5rem" height="1.625rem" />;
}
