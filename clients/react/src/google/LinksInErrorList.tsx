import { useEffect, useRef, useState, type ReactElement } from "react";
import { HostLink } from "../host/HostLink";
import { useHost } from "../host/host";
import { dayAndTime } from "../i18n/moment";
import { useRetry } from "../query/mutations";
import { useLinksInError } from "../query/queries";
import { Action } from "../ui/Action";
import { useAnnounce } from "../ui/Announcements";
import { CopyableId } from "../ui/CopyableId";
import { GoogleLink } from "../ui/GoogleLink";
import { AlertIcon } from "../ui/icons";
import { Notice } from "../ui/Notice";
import { Skeleton } from "../ui/Skeleton";
import { useFocusKept } from "../ui/useFocusKept";
import type { AppointmentLinkJson } from "../wire";
import { CallHistory } from "./CallHistory";
import { failureText } from "./failureText";
import { reasonText } from "./reason";

/** The appointments that stand in error, each with its reason and a way to try it again. */
export function LinksInErrorList(props: {
  readonly errorCount: number;
  /** Changes whenever the list may have changed. */
  readonly digest: string;
  /** Why none of them can be tried again; `null` if they can. */
  readonly blocked: string | null;
  /** The zone that dates are told in; `null`: the reader's. */
  readonly timeZone: string | null;
}): ReactElement {
  const { t } = useHost();
  const { errorCount, digest, blocked, timeZone } = props;
  const links = useLinksInError(digest);
  const heading = useRef<HTMLHeadingElement>(null);
  const retryAll = useRetryAloud();
  const announce = useAnnounce();
  const [firstNewId, setFirstNewId] = useState<string | null>(null);
  useFocusKept(heading, links.data?.length ?? 0);

  const showMore = async () => {
    const before = links.data?.length ?? 0;
    const { data = [] } = await links.fetchNextPage();
    if (data.length <= before) return;
    // The button may be gone, and what it brought is what the reader wants.
    setFirstNewId(data[before]?.appointmentId ?? null);
    announce(t("errors.moreShown", { count: data.length - before }));
  };

  return (
    <div className="cc-links">
      <div className="cc-links-head">
        <h3 className="cc-links-title" ref={heading} tabIndex={-1}>
          {t("errors.count", { count: errorCount })}
        </h3>
        <Action isPending={retryAll.isPending} blocked={blocked} onPress={() => retryAll.run("all")}>
          {t("errors.retryAll")}
        </Action>
      </div>
      {links.data ? (
        <ul className="cc-links-list" aria-label={t("errors.list")}>
          {links.data.map((link) => (
            <LinkInError
              key={link.appointmentId}
              link={link}
              blocked={blocked}
              timeZone={timeZone}
              isFirstNew={link.appointmentId === firstNewId}
            />
          ))}
        </ul>
      ) : links.error ? (
        <Notice
          tone="neutral"
          icon={<AlertIcon />}
          actions={
            <Action isPending={links.isFetching} onPress={() => void links.refetch()}>
              {t("common.retry")}
            </Action>
          }
        >
          {t("errors.failed")}
        </Notice>
      ) : (
        <LinksSkeleton count={Math.min(errorCount, 3)} />
      )}
      {links.hasNextPage ? (
        <Action weight="quiet" isPending={links.isFetchingNextPage} onPress={() => void showMore()}>
          {t("errors.more")}
        </Action>
      ) : null}
    </div>
  );
}

function LinkInError(props: {
  readonly link: AppointmentLinkJson;
  readonly blocked: string | null;
  readonly timeZone: string | null;
  readonly isFirstNew: boolean;
}): ReactElement {
  const { link, blocked, timeZone, isFirstNew } = props;
  const { t, locale, renderAppointment, appointmentPath } = useHost();
  const { appointmentId: id } = link;
  const retry = useRetryAloud();
  const [isOpen, setOpen] = useState(false);
  const date = link.startTime === null ? t("errors.noDate") : dayAndTime(new Date(link.startTime), locale, timeZone);
  const row = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (isFirstNew) row.current?.focus();
  }, [isFirstNew]);
  return (
    <li className="cc-link-row" ref={row} tabIndex={-1}>
      <div className="cc-link-words">
        {renderAppointment ? (
          <>
            <p className="cc-strong">{renderAppointment(id)}</p>
            <p className="cc-link-date">{date}</p>
          </>
        ) : (
          <p className="cc-strong cc-link-date">{date}</p>
        )}
        <p className="cc-link-reason">{reasonText(link.lastError, t)}</p>
        {link.htmlLink === null ? null : <GoogleLink href={link.htmlLink} about={date} />}
        <details className="cc-details" onToggle={(event) => setOpen(event.currentTarget.open)}>
          <summary>{t("errors.details")}</summary>
          <p className="cc-link-id">
            <span className="cc-hint">{t("errors.id")}</span>
            <CopyableId id={id} label={t("errors.copyId", { id })} />
          </p>
          {isOpen ? <CallHistory id={id} /> : null}
        </details>
      </div>
      <div className="cc-link-actions">
        {appointmentPath ? (
          <HostLink
            href={appointmentPath(id)}
            className="cc-action cc-action-secondary"
            aria-label={t("errors.openNamed", { date })}
          >
            {t("errors.open")}
          </HostLink>
        ) : null}
        <Action
          isPending={retry.isPending}
          blocked={blocked}
          aria-label={t("errors.retryNamed", { date })}
          onPress={() => retry.run([id])}
        >
          {t("common.retry")}
        </Action>
      </div>
    </li>
  );
}

function LinksSkeleton({ count }: { readonly count: number }): ReactElement {
  return (
    <ul className="cc-links-list" aria-hidden="true">
      {Array.from({ length: count }, (_, index) => (
        <li key={index} className="cc-link-row">
          <div className="cc-link-words">
            <Skeleton width="11rem" />
            <Skeleton width="15rem" />
            <Skeleton width="13rem" />
          </div>
          <Skeleton width="6rem" height="2.5rem" />
        </li>
      ))}
    </ul>
  );
}

/** Tries appointments again and tells how it came out. */
function useRetryAloud(): { readonly run: (which: readonly string[] | "all") => void; readonly isPending: boolean } {
  const { t } = useHost();
  const announce = useAnnounce();
  const retry = useRetry();
  const run = (which: readonly string[] | "all") => {
    // A promise, not a callback of `mutate`: the row may be gone from the page when the answer arrives.
    retry
      .mutateAsync(which)
      .then((answer) => announce(t("errors.retried", { count: answer.queuedCount })))
      .catch((failure: unknown) =>
        announce(failure instanceof Error ? failureText(failure, t) : t("errors.retryFailed"), "danger"),
      );
  };
  return { run, isPending: retry.isPending };
}
