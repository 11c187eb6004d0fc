ALTER TABLE calendar_integrations ADD COLUMN vanished_count INTEGER NOT NULL DEFAULT 0;
COMMENT ON COLUMN calendar_integrations.vanished_count IS
    'How many events were not where they were written since all calendars of the account were looked through; counted on while a comparison is under way.';
COMMENT ON COLUMN appointment_external_links.is_unsearched IS
    'Whether an appointment that is being erased, or was before it was sent again, waits for the account to be searched for its event.';

-- Whoever waits for a search.
CREATE INDEX appointment_external_links_unsearched
    ON appointment_external_links (organisation_id)
    WHERE is_unsearched;
