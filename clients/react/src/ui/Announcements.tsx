/**
 * Tells results: to a screen reader through one polite live region, to the eye in a line at the foot of the window.
 * The region is in the page before its first message, since one that arrives with its text is not read out. Its invariant:
 * a result is in sight for a second at least, however many come at once; the others wait for their turn.
 */
import {
  createContext,
  useCallback,
  useContext,
  useEffect,
  useRef,
  useState,
  type ReactElement,
  type ReactNode,
} from "react";
import { Button } from "react-aria-components";
import { useHost } from "../host/host";
import { AlertIcon, CheckIcon, ClockIcon, CrossIcon } from "./icons";

/** How a result came out. */
export type ResultTone = "success" | "neutral" | "danger";

/** Tells a result. `isNews`: the page shows it as well, for as long as it is so; the result does not outlive that. */
export type Announce = (text: string, tone?: ResultTone, isNews?: boolean) => void;

interface Result {
  readonly text: string;
  readonly tone: ResultTone;
  readonly isNews: boolean;
  /** Grows with each result, so that the same words twice are read twice. */
  readonly turn: number;
}

const ICONS: Readonly<Record<ResultTone, ReactElement>> = {
  success: <CheckIcon />,
  neutral: <ClockIcon />,
  danger: <AlertIcon />,
};

/** How long a result stays in sight; the failure of an action stays until it is closed or the next result comes. */
const SHOWN_MS = 6_000;
/** How long a result stays in sight when the next one waits. */
const SHOWN_BEFORE_NEXT_MS = 1_500;

const AnnounceContext = createContext<Announce>(() => undefined);

/** Answers the function that tells results. */
export function useAnnounce(): Announce {
  return useContext(AnnounceContext);
}

/** Holds the live region for the components below it. */
export function Announcements({ children }: { readonly children: ReactNode }): ReactElement {
  const { t } = useHost();
  const [results, setResults] = useState<readonly Result[]>([]);
  const [result = null, next] = results;
  const announce = useCallback<Announce>((text, tone = "success", isNews = false) => {
    setResults((before) => {
      const last = before.at(-1);
      // What already waits to be told is told once.
      if (before.length > 1 && last?.text === text) return before;
      return [...before, { text, tone, isNews, turn: (last?.turn ?? 0) + 1 }];
    });
  }, []);
  const close = useCallback(() => setResults(([, ...later]) => later), []);
  const isNextWaiting = next !== undefined;
  const shownAt = useRef(0);
  useEffect(() => {
    shownAt.current = performance.now();
  }, [result]);
  useEffect(() => {
    if (result === null || (result.tone === "danger" && !result.isNews && !isNextWaiting)) return;
    const shownMs = performance.now() - shownAt.current;
    const timer = setTimeout(close, Math.max((isNextWaiting ? SHOWN_BEFORE_NEXT_MS : SHOWN_MS) - shownMs, 0));
    return () => clearTimeout(timer);
  }, [result, isNextWaiting, close]);
  useEffect(() => {
    if (result === null) return;
    // In a short window the line may lie over what has focus: it goes without focus having to leave.
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key === "Escape") close();
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, [result, close]);

  return (
    <AnnounceContext.Provider value={announce}>
      {children}
      <div className={result ? `cc-result cc-result-${result.tone}` : "cc-result cc-result-none"}>
        <div className="cc-result-words" role="status" aria-live="polite" aria-atomic="true">
          {result ? (
            <span key={result.turn} className="cc-result-line">
              {ICONS[result.tone]}
              <span>{result.text}</span>
            </span>
          ) : null}
        </div>
        {result ? (
          <Button className="cc-result-close" aria-label={t("common.close")} onPress={close}>
            <CrossIcon />
          </Button>
        ) : null}
      </div>
    </AnnounceContext.Provider>
  );
}
