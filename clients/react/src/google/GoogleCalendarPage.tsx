import { useEffect, useRef, useState, type ReactElement, type RefObject } from "react";
import { HostLink } from "../host/HostLink";
import { useHost } from "../host/host";
import { useTitle } from "../host/useTitle";
import { useStatus, type StatusView } from "../query/useStatus";
import { Announcements } from "../ui/Announcements";
import { AlertIcon, ArrowLeftIcon, CheckIcon } from "../ui/icons";
import { Notice } from "../ui/Notice";
import { PageBoundary } from "../ui/PageBoundary";
import { Pill } from "../ui/Pill";
import { Skeleton } from "../ui/Skeleton";
import { useFocusKept } from "../ui/useFocusKept";
import type { ConnectOutcome } from "../wire";
import { ConnectionSection } from "./ConnectionSection";
import { ErrorsSection } from "./ErrorsSection";
import { Health, Unanswered } from "./Health";
import { OptionsSection } from "./OptionsSection";
import { useOutcome } from "./outcome";
import { PreviewSection } from "./PreviewSection";
import { useStatusAnnouncements } from "./useStatusAnnouncements";
import { isConnected, titleWord } from "./standing";

/** The page `/settings/integrations/google-calendar`: Connexion, Options, Aperçu, Erreurs. */
export function GoogleCalendarPage(): ReactElement {
  return (
    <PageBoundary>
      <div className="cassius-calendar cc-page">
        <Announcements>
          <Page />
        </Announcements>
      </div>
    </PageBoundary>
  );
}

function Page(): ReactElement {
  const { t } = useHost();
  const view = useStatus();
  const outcome = useOutcome();
  const { status, isOnline } = view;
  useStatusAnnouncements(status);
  useTitle(t("google.title"));
  const title = useRef<HTMLHeadingElement>(null);
  const errorsTitle = useRef<HTMLHeadingElement>(null);
  const showErrors = () => {
    errorsTitle.current?.focus({ preventScroll: true });
    errorsTitle.current?.scrollIntoView({ block: "start" });
  };
  // Without a network the places are held: the answer comes by itself.
  const isUnanswered =
    view.isSignedOut || (status === undefined && view.failure !== null && view.failure.kind !== "offline");
  useFocusKept(title, isUnanswered ? 1 : 0);
  // The question that it speaks of has been answered, or has lapsed.
  const isSettled = outcome === "other_account" && status?.pendingAccount === null;
  const hasAccount = status === undefined || isConnected(status);
  return (
    <>
      <Head view={view} titleRef={title} />
      <OutcomeNotice outcome={isSettled ? null : outcome} />
      <Health view={view} />
      {isUnanswered ? (
        <Unanswered view={view} />
      ) : (
        <>
          <ConnectionSection status={status} isOnline={isOnline} onShowErrors={showErrors} />
          {hasAccount ? <OptionsSection status={status} isOnline={isOnline} /> : null}
          {/* Not connected it stands elsewhere: it takes the place of a skeleton, rather than jumping there from its own. */}
          <PreviewSection key={hasAccount ? "below" : "alone"} status={status} />
          {hasAccount ? <ErrorsSection status={status} isOnline={isOnline} titleRef={errorsTitle} /> : null}
        </>
      )}
    </>
  );
}

function Head(props: {
  readonly view: StatusView;
  readonly titleRef: RefObject<HTMLHeadingElement | null>;
}): ReactElement {
  const { view, titleRef } = props;
  const { t, paths } = useHost();
  const label = view.status && !view.isSignedOut ? titleWord(view.status, t) : null;
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
        {label ? <Pill tone={label.tone}>{label.word}</Pill> : null}
        {label || view.failure ? null : <Skeleton width="6.5rem" height="1.625rem" />}
      </div>
      <p className="cc-page-lead">{t("google.lead")}</p>
    </header>
  );
}

/** How the consent came out. Its room is there from the start, its words come into sight afterwards: so they are read out. */
function OutcomeNotice({ outcome }: { readonly outcome: ConnectOutcome | null }): ReactElement | null {
  const { t } = useHost();
  const [isTold, setTold] = useState(false);
  useEffect(() => {
    const frame = requestAnimationFrame(() => setTold(true));
    return () => cancelAnimationFrame(frame);
  }, []);
  if (outcome === null) return null;
  const isGood = outcome === "connected";
  return (
    <div role="status" className="cc-outcome">
      <div style={{ visibility: isTold ? "visible" : "hidden" }}>
        <Notice
          tone={isGood ? "success" : outcome === "other_account" ? "warning" : "danger"}
          icon={isGood ? <CheckIcon /> : <AlertIcon />}
        >
          {t(`outcome.${outcome}`)}
        </Notice>
      </div>
    </div>
  );
}
