ALTER TABLE calendar_integrations ADD COLUMN
    compare_due_at /* When the events at the provider are held against the links next; NULL if the organisation was never connected. */ BIGINT;
ALTER TABLE calendar_integrations ADD COLUMN
    compare_attempts /* How many comparisons have failed in a row. */ INTEGER NOT NULL DEFAULT 0;
ALTER TABLE calendar_integrations ADD COLUMN
    compare_lease_token /* Proves which process compares, in the form of a UUID; NULL if none does. */ TEXT;
ALTER TABLE calendar_integrations ADD COLUMN
    compare_lease_until /* When that process loses the comparison. */ BIGINT;

-- Those that were connected before are spread over the first day.
UPDATE calendar_integrations SET compare_due_at = (unixepoch() + abs(random() % 86400)) * 1000000;

-- The comparison that is due first.
CREATE INDEX calendar_integrations_compare_due
    ON calendar_integrations (compare_due_at)
    WHERE compare_due_at IS NOT NULL;
