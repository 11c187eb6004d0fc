ALTER TABLE calendar_integrations ADD COLUMN
    vanished_count /* How many events were not where they were written since all calendars of the account were looked through; counted on while a comparison is under way. */ INTEGER NOT NULL DEFAULT 0;

-- Whoever waits for a search: also an appointment that was erased and sent again before that was made.
CREATE INDEX appointment_external_links_unsearched
    ON appointment_external_links (organisation_id)
    WHERE is_unsearched;
