import { useId, type ReactElement, type ReactNode } from "react";
import { useHost } from "../host/host";
import { period } from "../i18n/moment";
import { usePreview } from "../query/queries";
import { Action } from "../ui/Action";
import { AlertIcon, CalendarIcon, ClockIcon, LinesIcon, LockIcon, PinIcon } from "../ui/icons";
import { Notice } from "../ui/Notice";
import { SafeHtml } from "../ui/SafeHtml";
import { Section } from "../ui/Section";
import { Skeleton } from "../ui/Skeleton";
import type { CalendarJson, EventPreviewJson, TitlePrivacyJson } from "../wire";
import type { GoogleSectionProps } from "./sectionProps";

/** What the service writes into events is French, whatever the page speaks. */
export const EVENT_LANGUAGE = "fr";

/**
 * Aperçu: a sample appointment as Google Calendar will show it, with the title privacy that is set right now. Among the
 * options it stands below the one that changes it; where nothing is connected it is a section of its own, with what
 * changes it as its children.
 */
export function PreviewSection(
  props: Pick<GoogleSectionProps, "status" | "lastKnown"> & { readonly children?: ReactNode },
): ReactElement {
  const { status, lastKnown, children } = props;
  const { t } = useHost();
  return (
    <Section title={t("preview.title")} lead={t("preview.lead")} caveat={lastKnown} isBusy={!status}>
      {children}
      <Sample status={status} />
    </Section>
  );
}

/** The same among the options. */
export function PreviewField({ status }: Pick<GoogleSectionProps, "status">): ReactElement {
  const { t } = useHost();
  const titleId = useId();
  return (
    <section className="cc-field cc-preview" aria-labelledby={titleId} aria-busy={!status}>
      <h3 className="cc-label" id={titleId}>
        {t("preview.title")}
      </h3>
      <p className="cc-hint">{t("preview.lead")}</p>
      <Sample status={status} />
    </section>
  );
}

function Sample({ status }: Pick<GoogleSectionProps, "status">): ReactElement {
  return status ? <Preview titlePrivacy={status.titlePrivacy} calendar={status.calendar} /> : <PreviewSkeleton />;
}

function Preview(props: {
  readonly titlePrivacy: TitlePrivacyJson;
  readonly calendar: CalendarJson | null;
}): ReactElement {
  const { t } = useHost();
  const preview = usePreview(props.titlePrivacy);
  if (preview.data) {
    return <Event event={preview.data} calendar={props.calendar} isStale={preview.isPlaceholderData} />;
  }
  if (!preview.error) return <PreviewSkeleton />;
  return (
    <Notice
      tone="neutral"
      icon={<AlertIcon />}
      actions={
        <Action isPending={preview.isFetching} onPress={() => void preview.refetch()}>
          {t("common.retry")}
        </Action>
      }
    >
      {t("preview.failed")}
    </Notice>
  );
}

function Event(props: {
  readonly event: EventPreviewJson;
  readonly calendar: CalendarJson | null;
  readonly isStale: boolean;
}): ReactElement {
  const { t, locale } = useHost();
  const { event, calendar } = props;
  const when =
    event.startTime === null || event.endTime === null
      ? null
      : period(new Date(event.startTime), new Date(event.endTime), event.timeZone ?? "", locale);
  return (
    <article
      className="cc-event"
      data-stale={props.isStale}
      style={{ borderInlineStartColor: calendar?.color ?? undefined }}
    >
      <p className="cc-event-title" aria-live="polite" lang={EVENT_LANGUAGE}>
        {event.title}
      </p>
      <dl className="cc-event-facts">
        {when === null ? null : (
          <Fact icon={<ClockIcon />} term={t("preview.when")}>
            {when}
          </Fact>
        )}
        {event.location === null ? null : (
          <Fact icon={<PinIcon />} term={t("preview.where")}>
            {event.location}
          </Fact>
        )}
        <Fact icon={<LinesIcon />} term={t("preview.description")}>
          <span className="cc-event-description" lang={EVENT_LANGUAGE}>
            <SafeHtml html={event.description} />
          </span>
        </Fact>
        <Fact icon={<LockIcon />} term={t("preview.visibility")}>
          {t("preview.private")}
        </Fact>
        {calendar === null ? null : (
          <Fact icon={<CalendarIcon />} term={t("preview.calendar")}>
            {calendar.name}
          </Fact>
        )}
      </dl>
    </article>
  );
}

function Fact(props: { readonly icon: ReactNode; readonly term: string; readonly children: ReactNode }): ReactElement {
  return (
    <div className="cc-event-fact">
      <dt title={props.term}>
        {props.icon}
        <span className="cc-hidden">{props.term}</span>
      </dt>
      <dd>{props.children}</dd>
    </div>
  );
}

function PreviewSkeleton(): ReactElement {
  return (
    <div className="cc-event cc-event-skeleton">
      <div className="cc-event-title">
        <Skeleton width="16rem" />
      </div>
      <div className="cc-event-facts">
        <Skeleton width="18rem" />
        <Skeleton width="12rem" />
        <div>
          <Skeleton width="15rem" />
          <Skeleton width="9rem" />
        </div>
        <Skeleton width="10rem" />
      </div>
    </div>
  );
}
