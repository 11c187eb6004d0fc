import { useState, type ReactElement } from "react";
import { useHost } from "../host/host";
import { useUpdateSettings } from "../query/mutations";
import { useCalendars } from "../query/queries";
import { Action } from "../ui/Action";
import { useAnnounce } from "../ui/Announcements";
import { AlertIcon } from "../ui/icons";
import { Notice } from "../ui/Notice";
import { Window } from "../ui/Window";
import type { IntegrationStatusJson } from "../wire";
import { CalendarSelect, choosable } from "./CalendarSelect";
import { ConnectAction } from "./ConnectAction";
import { failureText } from "./failureText";

/** What the window begins with. */
export interface ChangeCalendarWindowProps {
  readonly status: IntegrationStatusJson;
  /** When `status` was known last, in words, while it is no more than that. */
  readonly lastKnown: string | null;
  readonly onClose: () => void;
}

/** Lets another calendar be chosen, and says before it is taken how many events will move. */
export function ChangeCalendarWindow({ status, lastKnown, onClose }: ChangeCalendarWindowProps): ReactElement {
  const { t } = useHost();
  const announce = useAnnounce();
  const calendars = useCalendars(true, true);
  const update = useUpdateSettings();
  const [pickedId, setPickedId] = useState<string>();

  const known = status.calendar === null ? [] : [status.calendar];
  const list = choosable(calendars.data?.calendars ?? known, status);
  const isListPermitted = calendars.data?.isListPermitted !== false;
  // Until the reader picks: the present calendar while it is there to be written to, else the primary one.
  const present = list.find((calendar) => calendar.id === status.calendar?.id);
  const chosen = list.find((calendar) => calendar.id === pickedId) ?? present ?? list[0];
  const isSame = chosen?.id === status.calendar?.id;

  const confirm = () => {
    if (!chosen) return;
    update.mutate(
      { calendarId: chosen.id },
      {
        onSuccess: () => {
          announce(t("change.done", { calendar: chosen.name }));
          onClose();
        },
      },
    );
  };

  return (
    <Window
      title={t("change.title")}
      caveat={lastKnown}
      isOpen
      onClose={onClose}
      actions={
        <>
          <Action onPress={onClose} isDisabled={update.isPending}>
            {t("common.cancel")}
          </Action>
          <Action weight="primary" onPress={confirm} isPending={update.isPending} isDisabled={!chosen || isSame}>
            {update.isPending ? t("change.pending") : t("change.confirm")}
          </Action>
        </>
      }
    >
      <p>{t("change.body")}</p>
      <CalendarSelect
        label={t("change.field")}
        hint={t(isListPermitted ? "calendars.hint" : "calendars.notPermitted")}
        calendars={list}
        value={chosen?.id ?? null}
        onChange={setPickedId}
        isLoading={calendars.isPending}
        isDisabled={!calendars.data || list.length === 0 || update.isPending}
      />
      {isListPermitted ? null : <ConnectAction label={t("calendars.permit")} weight="secondary" />}
      <p className="cc-window-outlook" aria-live="polite">
        {calendars.isPending ? t("calendars.loading") : null}
        {calendars.isSuccess && list.length === 0 ? t("calendars.empty") : null}
        {calendars.data && chosen ? outlook(chosen.name) : null}
      </p>
      {chosen?.accessRole === "writer" && !isSame ? (
        <Notice tone="warning" icon={<AlertIcon />} role="status" title={t("change.foreign")}>
          {t(`privacy.shows.${status.titlePrivacy}`)}
        </Notice>
      ) : null}
      {calendars.error ? (
        <Notice
          tone="danger"
          icon={<AlertIcon />}
          role="alert"
          title={t("calendars.failed")}
          actions={<Action onPress={() => void calendars.refetch()}>{t("common.retry")}</Action>}
        >
          {failureText(calendars.error, t)}
        </Notice>
      ) : null}
      {update.error ? (
        <Notice tone="danger" icon={<AlertIcon />} role="alert">
          {failureText(update.error, t)}
        </Notice>
      ) : null}
    </Window>
  );

  function outlook(calendar: string): string {
    if (isSame) return t("change.same");
    const count = status.counts.upcomingEvents;
    if (count === 0) return t("change.movesNone");
    // From a calendar that Google no longer gives nothing can be moved.
    const isGone = status.problem?.action === "choose_calendar";
    return t(isGone ? "change.recreated" : "change.moves", { count, calendar });
  }
}
