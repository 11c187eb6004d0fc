ALTER TABLE appointment_external_links ADD COLUMN
    wants_event /* Whether the appointment at that revision takes place, so that an event should stand. */ BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE appointment_external_links ADD COLUMN
    write_not_before /* Until when an edit waits, since the event was written just before; NULL if it never was. */ BIGINT;

-- What nobody has asked to send yet.
CREATE INDEX appointment_external_links_unsent
    ON appointment_external_links (organisation_id, provider, ends_at)
    WHERE sync_status = 'none' AND wants_event AND snapshot IS NOT NULL;
