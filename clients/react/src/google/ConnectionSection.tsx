import { useEffect, useRef, useState, type ReactElement } from "react";
import { useHost } from "../host/host";
import type { StatusView } from "../query/useStatus";
import { Section } from "../ui/Section";
import { Skeleton } from "../ui/Skeleton";
import { useFocusKept } from "../ui/useFocusKept";
import { Connected } from "./Connected";
import { DisconnectWindow } from "./DisconnectWindow";
import { isConnected } from "./health";
import { useLastKnown } from "./lastKnown";
import { NotConnected } from "./NotConnected";

/** What the connection is drawn from. */
export interface ConnectionSectionProps {
  readonly view: StatusView;
  readonly onChangeCalendar: () => void;
  readonly onShowRefused: () => void;
}

/** Connexion: the account and the calendar, or what there is to know before connecting. */
export function ConnectionSection(props: ConnectionSectionProps): ReactElement {
  const { view, onChangeCalendar, onShowRefused } = props;
  const { status } = view;
  const { t } = useHost();
  const lastKnown = useLastKnown(view);
  // The window lives here, above what a change of state replaces: its answer arrives after the status has changed.
  const [isDisconnecting, setDisconnecting] = useState(false);
  const [openersGone, setOpenersGone] = useState(0);
  const title = useRef<HTMLHeadingElement>(null);
  const close = (isOpenerGone: boolean) => {
    setDisconnecting(false);
    if (isOpenerGone) setOpenersGone((count) => count + 1);
  };

  useEffect(() => {
    if (openersGone > 0) title.current?.focus();
  }, [openersGone]);

  // A disconnect that begins elsewhere takes the buttons of the rows away, and one that ends its own.
  const isEnding = status?.state === "disconnecting";
  useFocusKept(title, isEnding ? 0 : 1);
  useFocusKept(title, isEnding ? 1 : 0);

  return (
    <Section
      title={t("connection.title")}
      lead={t("connection.lead")}
      caveat={lastKnown}
      isBusy={!status}
      titleRef={title}
    >
      {status ? null : <ConnectionSkeleton />}
      {status?.state === "not_connected" ? <NotConnected /> : null}
      {status && status.state !== "not_connected" ? (
        <Connected
          status={status}
          view={view}
          onChangeCalendar={onChangeCalendar}
          onDisconnect={() => setDisconnecting(true)}
          onShowRefused={onShowRefused}
        />
      ) : null}
      {status && isDisconnecting ? (
        <DisconnectWindow
          status={status}
          lastKnown={lastKnown}
          onClose={() => close(!isConnected(status))}
          onDisconnected={() => close(true)}
        />
      ) : null}
    </Section>
  );
}

function ConnectionSkeleton(): ReactElement {
  const { t } = useHost();
  return (
    <div className="cc-rows">
      <RowSkeleton term={t("connection.account")} actionWidth="7.5rem" />
      <RowSkeleton term={t("connection.calendar")} actionWidth="11rem" />
      <RowSkeleton term={t("connection.sync")} actionWidth="13rem" isSync />
    </div>
  );
}

function RowSkeleton(props: {
  readonly term: string;
  readonly actionWidth: string;
  readonly isSync?: boolean;
}): ReactElement {
  const { t } = useHost();
  const isSync = props.isSync === true;
  return (
    <div className="cc-row">
      <span className="cc-row-term">{props.term}</span>
      <div className="cc-row-value">
        {isSync ? <Skeleton width="4rem" height="1.625rem" /> : <Skeleton width="14rem" />}
        <span className="cc-hint">
          {isSync ? <Skeleton width="14rem" height="1.5rem" /> : <Skeleton width="9rem" />}
        </span>
      </div>
      <div className="cc-row-action">
        <Skeleton width={props.actionWidth} height="2.5rem" />
      </div>
      {isSync ? (
        <>
          <div className="cc-row-foot cc-progress-slot">
            <Skeleton width="16rem" />
          </div>
          <div className="cc-row-end cc-comparison">
            <Skeleton width="12rem" height="2.5rem" />
            <div className="cc-comparison-words">
              <p className="cc-hint">{t("compare.hint")}</p>
            </div>
          </div>
        </>
      ) : null}
    </div>
  );
}
