ALTER TABLE calendar_integrations
    ADD COLUMN search_due_at TIMESTAMPTZ,
    ADD COLUMN search_asked_at TIMESTAMPTZ,
    ADD COLUMN search_attempts INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN last_search TEXT,
    ADD COLUMN compare_round INTEGER NOT NULL DEFAULT 0;
ALTER TABLE appointment_external_links ADD COLUMN is_unsearched BOOLEAN NOT NULL DEFAULT FALSE;
COMMENT ON COLUMN calendar_integrations.search_due_at IS
    'When the calendars of the account are searched next for events that are to be deleted and stand where nothing says so, since a person moved them; NULL: no search is asked for. It is made under the lease of a comparison.';
COMMENT ON COLUMN calendar_integrations.search_asked_at IS
    'Since when that search is asked for.';
COMMENT ON COLUMN calendar_integrations.search_attempts IS
    'How many of its attempts have failed in a row.';
COMMENT ON COLUMN calendar_integrations.last_search IS
    'How much of the account the latest search has seen: whole or partial; NULL: none since the latest connect, or since a disconnect that deletes began.';
COMMENT ON COLUMN calendar_integrations.compare_round IS
    'How many comparisons were made: where an account has more calendars than one of them lists, it says which are listed next.';
COMMENT ON COLUMN appointment_external_links.is_unsearched IS
    'Whether an appointment that is being erased waits for the account to be searched for its event.';

-- The search that is due first.
CREATE INDEX calendar_integrations_search_due
    ON calendar_integrations (search_due_at)
    WHERE search_due_at IS NOT NULL;
