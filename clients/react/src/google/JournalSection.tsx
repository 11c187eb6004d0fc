import { useState, type ReactElement } from "react";
import { useHost } from "../host/host";
import type { MessageKey } from "../i18n/catalogue";
import type { Translate } from "../i18n/message";
import { dayAndTime } from "../i18n/moment";
import { useJournal } from "../query/queries";
import { Action } from "../ui/Action";
import { AlertIcon } from "../ui/icons";
import { Notice } from "../ui/Notice";
import { Section } from "../ui/Section";
import { Skeleton } from "../ui/Skeleton";
import type { JournalEntryJson } from "../wire";

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

/** Journal: who did what, the last acts first. It is asked for once somebody opens it. */
export function JournalSection(): ReactElement {
  const { t } = useHost();
  const [isOpen, setOpen] = useState(false);
  return (
    <Section title={t("journal.title")} lead={t("journal.lead")}>
      <details className="cc-details cc-journal" onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>{t("journal.show")}</summary>
        {isOpen ? <Entries /> : null}
      </details>
    </Section>
  );
}

function Entries(): ReactElement {
  const { t } = useHost();
  const journal = useJournal();
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
  if (journal.data.entries.length === 0) return <p className="cc-hint">{t("journal.none")}</p>;
  return (
    <ol className="cc-journal-list" aria-label={t("journal.title")}>
      {journal.data.entries.map((entry, index) => (
        <Entry key={`${String(entry.time)} ${index}`} entry={entry} />
      ))}
    </ol>
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
