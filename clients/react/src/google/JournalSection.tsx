import { useState, type ReactElement } from "react";
import { useHost } from "../host/host";
import type { MessageKey } from "../i18n/catalogue";
import type { Translate } from "../i18n/message";
import { dayAndTime } from "../i18n/moment";
import { useJournal } from "../query/queries";
import type { StatusView } from "../query/useStatus";
import { Action } from "../ui/Action";
import { AlertIcon } from "../ui/icons";
import { Notice } from "../ui/Notice";
import { Section } from "../ui/Section";
import { Skeleton } from "../ui/Skeleton";
import type { JournalEntryJson } from "../wire";
import { useLastKnown } from "./lastKnown";

const ACTIONS = [
  "BeginConnect",
  "ConfirmAccount",
  "UpdateSettings",
  "SyncNow",
  "Disconnect",
  "RetryAppointments",
  "EraseAppointments",
  "EraseOrganisation",
  "ReplaceAppointments",
] as const;

const CONSENTS = [
  "connected",
  "denied",
  "blocked",
  "missing_scope",
  "expired",
  "other_account",
  "try_again",
  "failed",
] as const;

/**
 * Journal: who did what, the last acts first. It is asked for once somebody opens it, and says of when it is while nobody
 * can be asked.
 */
export function JournalSection({ view }: { readonly view: StatusView }): ReactElement {
  const { t } = useHost();
  const [isOpen, setOpen] = useState(false);
  return (
    <Section title={t("journal.title")} lead={t("journal.lead")}>
      <details className="cc-details cc-journal" onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>{t("journal.show")}</summary>
        {isOpen ? <Entries view={view} /> : null}
      </details>
    </Section>
  );
}

function Entries({ view }: { readonly view: StatusView }): ReactElement {
  const { t } = useHost();
  const journal = useJournal(view.status);
  const knownAt = journal.data === undefined ? null : new Date(journal.dataUpdatedAt);
  const lastKnown = useLastKnown({ ...view, knownAt });
  if (journal.error) {
    return (
      <Notice
        tone="neutral"
        icon={<AlertIcon />}
        actions={
          <Action isPending={journal.isFetching} onPress={() => void journal.refetch()}>
            {t("common.retry")}
          </Action>
        }
      >
        {t("journal.failed")}
      </Notice>
    );
  }
  if (journal.data === undefined) return <Skeleton width="18rem" />;
  const { entries } = journal.data;
  if (entries.length === 0) return <p className="cc-hint">{lastKnown ?? t("journal.none")}</p>;
  return (
    <>
      {lastKnown === null ? null : <p className="cc-hint">{lastKnown}</p>}
      <ol className="cc-journal-list" aria-label={t("journal.title")}>
        {entries.map((entry, index) => (
          <Entry key={`${String(entry.time)} ${index}`} entry={entry} />
        ))}
      </ol>
    </>
  );
}

function Entry({ entry }: { readonly entry: JournalEntryJson }): ReactElement {
  const { t, locale, renderActor } = useHost();
  const { time, actor } = entry;
  return (
    <li className="cc-journal-entry">
      {time === null ? null : (
        <time className="cc-hint" dateTime={time}>
          {dayAndTime(new Date(time), locale, null)}
        </time>
      )}
      <span>
        {actText(entry, t)}
        {actor === null ? null : <span className="cc-hint"> · {renderActor ? renderActor(actor) : actor}</span>}
      </span>
    </li>
  );
}

/** An act in plain words; one that is newer than these pages by its name. */
function actText({ action, outcome }: JournalEntryJson, t: Translate): string {
  if (action === "CompleteConsent") {
    const word = CONSENTS.find((each) => each === outcome) ?? "failed";
    return t(`outcome.${word}.title`);
  }
  const known = ACTIONS.find((each) => each === action);
  const key: (MessageKey & `journal.act.${string}`) | null = known ? `journal.act.${known}` : null;
  const words = key === null ? action : t(key);
  return outcome === "OK" ? words : t("journal.unsuccessful", { act: words });
}
