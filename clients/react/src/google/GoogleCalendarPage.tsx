import { useEffect, useRef, useState, type ReactElement, type RefObject } from "react";
import { HostLink } from "../host/HostLink";
import { useHost } from "../host/host";
import { useTitle } from "../host/useTitle";
import { useStatus, type StatusView } from "../query/useStatus";
import { Announcements } from "../ui/Announcements";
import { ArrowLeftIcon } from "../ui/icons";
import { PageBoundary } from "../ui/PageBoundary";
import { useFocusKept } from "../ui/useFocusKept";
import { ChangeCalendarWindow } from "./ChangeCalendarWindow";
import { ConnectionSection } from "./ConnectionSection";
import { Erasure } from "./Erasure";
import { Unanswered } from "./Reachability";
import { JournalSection } from "./JournalSection";
import { OnlyLooking } from "./OnlyLooking";
import { OptionsSection } from "./OptionsSection";
import { useOutcome } from "./outcome";
import { PreviewSection } from "./PreviewSection";
import { PrivacyChoice } from "./PrivacyChoice";
import { isConnected } from "./health";
import { HealthNotice } from "./HealthNotice";
import { HealthPill } from "./HealthPill";
import { useLastKnown } from "./lastKnown";
import { ToDoSection } from "./ToDoSection";
import { useCatchUpEnd } from "./useCatchUpEnd";
import { useStatusAnnouncements } from "./useStatusAnnouncements";

/** What the page is drawn from. */
export interface GoogleCalendarPageProps {
  /** Whether who is signed in may change anything. Default: they may. Otherwise they see how it stands, and whom to tell. */
  readonly mayChange?: boolean;
  /**
   * Whether they may erase everything of the practice, as the router's `mayErase` says; it is offered at the end of the
   * page. Default: they may not.
   */
  readonly mayErase?: boolean;
}

/**
 * The page `/settings/integrations/google-calendar`: how it stands, then Connexion, Options with their Aperçu, À traiter,
 * Journal, Données.
 */
export function GoogleCalendarPage(props: GoogleCalendarPageProps): ReactElement {
  const { mayChange = true, mayErase = false } = props;
  return (
    <PageBoundary>
      <div className="cassius-calendar cc-page">
        <Announcements>
          <Page mayChange={mayChange} mayErase={mayErase} />
        </Announcements>
      </div>
    </PageBoundary>
  );
}

function Page({ mayChange, mayErase }: Required<GoogleCalendarPageProps>): ReactElement {
  const { t } = useHost();
  const view = useStatus();
  const { status, isOnline } = view;
  const outcome = useOutcome(status);
  useStatusAnnouncements(status);
  useCatchUpEnd(status);
  useTitle(t("google.title"));
  const [isChoosing, setChoosing] = useState(false);
  const title = useRef<HTMLHeadingElement>(null);
  const toDoTitle = useRef<HTMLHeadingElement>(null);
  const showRefused = () => {
    toDoTitle.current?.focus({ preventScroll: true });
    toDoTitle.current?.scrollIntoView({ block: "start" });
  };
  const chooseCalendar = () => setChoosing(true);
  // Back from Google the page begins anew: at its title, unless focus is somewhere already.
  const isBack = outcome.told !== null;
  useEffect(() => {
    if (isBack && document.activeElement === document.body) title.current?.focus({ preventScroll: true });
  }, [isBack]);
  const isUnanswered = isAnsweredByAnother(view) || hasNothing(view);
  useFocusKept(title, isUnanswered ? 1 : 0);
  useFocusKept(title, isUnanswered ? 0 : 1);
  const lastKnown = useLastKnown(view);
  const sectionProps = { status, isOnline, lastKnown };
  const hasAccount = status === undefined || isConnected(status);
  return (
    <>
      <Head view={view} titleRef={title} />
      {isUnanswered ? (
        <>
          <Lead />
          <Unanswered view={view} />
        </>
      ) : (
        <>
          <div className={mayChange ? "cc-intro" : "cc-intro cc-intro-looking"}>
            <Lead />
            <HealthNotice
              view={view}
              outcome={outcome}
              mayChange={mayChange}
              onChooseCalendar={chooseCalendar}
              onShowRefused={showRefused}
            />
          </div>
          {mayChange ? null : <OnlyLooking view={view} />}
          {mayChange ? (
            <>
              <ConnectionSection view={view} onChangeCalendar={chooseCalendar} onShowRefused={showRefused} />
              {hasAccount ? (
                <OptionsSection {...sectionProps} />
              ) : (
                <PreviewSection {...sectionProps}>
                  {status.state === "not_connected" ? <PrivacyChoice {...sectionProps} status={status} /> : null}
                </PreviewSection>
              )}
              {hasAccount ? <ToDoSection {...sectionProps} titleRef={toDoTitle} /> : null}
              <JournalSection view={view} />
              {mayErase ? <Erasure {...sectionProps} /> : null}
            </>
          ) : null}
        </>
      )}
      {/* Above what a change of state replaces: its answer arrives after the status has changed. */}
      {status && isChoosing && !isUnanswered ? (
        <ChangeCalendarWindow status={status} lastKnown={lastKnown} onClose={() => setChoosing(false)} />
      ) : null}
    </>
  );
}

/** Whether what was known is no longer for this reader, or for this page. */
function isAnsweredByAnother({ isSignedOut, failure }: StatusView): boolean {
  return isSignedOut || failure?.kind === "foreign" || failure?.kind === "forbidden";
}

/** Without a network the places are held: the answer comes by itself. */
function hasNothing({ status, failure }: StatusView): boolean {
  return status === undefined && failure !== null && failure.kind !== "offline";
}

function Lead(): ReactElement {
  const { t } = useHost();
  return <p className="cc-page-lead">{t("google.lead")}</p>;
}

function Head(props: {
  readonly view: StatusView;
  readonly titleRef: RefObject<HTMLHeadingElement | null>;
}): ReactElement {
  const { view, titleRef } = props;
  const { t, paths } = useHost();
  return (
    <header className="cc-page-head">
      <HostLink href={paths.integrations} className="cc-back">
        <ArrowLeftIcon />
        {t("google.back")}
      </HostLink>
      <div className="cc-page-line">
        <h1 className="cc-page-title" ref={titleRef} tabIndex={-1}>
          {t("google.title")}
        </h1>
        {view.failure?.kind === "forbidden" ? null : <HealthPill view={view} />}
      </div>
    </header>
  );
}
