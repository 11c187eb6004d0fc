-- What was cancelled or deleted before snapshots of it were kept without their patient, and has no event any more.
UPDATE appointment_external_links SET snapshot = NULL
WHERE NOT wants_event AND accepted_at IS NULL AND snapshot IS NOT NULL AND external_event_id IS NULL
    AND sync_status IN ('none', 'synced') AND lease_token IS NULL
    AND NOT EXISTS (
        SELECT 1 FROM owed_deletions AS o
        WHERE o.organisation_id = appointment_external_links.organisation_id
            AND o.provider = appointment_external_links.provider
            AND o.appointment_id = appointment_external_links.appointment_id);
