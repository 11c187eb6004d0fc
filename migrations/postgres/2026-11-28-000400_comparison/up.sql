ALTER TABLE calendar_integrations ADD COLUMN compare_due_at TIMESTAMPTZ;
ALTER TABLE calendar_integrations ADD COLUMN compare_attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE calendar_integrations ADD COLUMN compare_lease_token TEXT;
ALTER TABLE calendar_integrations ADD COLUMN compare_lease_until TIMESTAMPTZ;
COMMENT ON COLUMN calendar_integrations.compare_due_at IS
    'When the events at the provider are held against the links next; NULL if the organisation was never connected.';
COMMENT ON COLUMN calendar_integrations.compare_attempts IS
    'How many comparisons have failed in a row.';
COMMENT ON COLUMN calendar_integrations.compare_lease_token IS
    'Proves which process compares, in the form of a UUID; NULL if none does.';
COMMENT ON COLUMN calendar_integrations.compare_lease_until IS
    'When that process loses the comparison.';

-- Those that were connected before are spread over the first day.
UPDATE calendar_integrations SET compare_due_at = now() + random() * INTERVAL '1 day';

-- The comparison that is due first.
CREATE INDEX calendar_integrations_compare_due
    ON calendar_integrations (compare_due_at)
    WHERE compare_due_at IS NOT NULL;
