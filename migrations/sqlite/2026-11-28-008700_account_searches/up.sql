ALTER TABLE calendar_integrations ADD COLUMN
    search_due_at /* When the calendars of the account are searched next for events that are to be deleted and stand where nothing says so, since a person moved them; NULL: no search is asked for. It is made under the lease of a comparison. */ BIGINT;
ALTER TABLE calendar_integrations ADD COLUMN
    search_asked_at /* Since when that search is asked for. */ BIGINT;
ALTER TABLE calendar_integrations ADD COLUMN
    search_attempts /* How many of its attempts have failed in a row. */ INTEGER NOT NULL DEFAULT 0;
ALTER TABLE calendar_integrations ADD COLUMN
    last_search /* How much of the account the latest search has seen: whole or partial; NULL: none since the latest connect, or since a disconnect that deletes began. */ TEXT;
ALTER TABLE calendar_integrations ADD COLUMN
    compare_round /* How many comparisons were made: where an account has more calendars than one of them lists, it says which are listed next. */ INTEGER NOT NULL DEFAULT 0;
ALTER TABLE appointment_external_links ADD COLUMN
    is_unsearched /* Whether an appointment that is being erased waits for the account to be searched for its event. */ BOOLEAN NOT NULL DEFAULT FALSE;

-- The search that is due first.
CREATE INDEX calendar_integrations_search_due
    ON calendar_integrations (search_due_at)
    WHERE search_due_at IS NOT NULL;
