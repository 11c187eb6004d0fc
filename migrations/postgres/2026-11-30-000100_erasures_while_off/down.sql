DROP TRIGGER copy_served_from_of_updates ON calendar_integrations;
ALTER TABLE calendar_integrations DROP COLUMN owed_served_from;
ALTER TABLE calendar_integrations
    ADD COLUMN owed_served_from TIMESTAMPTZ GENERATED ALWAYS AS (
        CASE WHEN refresh_token IS NOT NULL
                AND CASE WHEN disconnecting_at IS NULL THEN is_enabled ELSE disconnect_remote_events <> 'keep' END
            THEN CASE WHEN problem_reason IS NULL OR problem_reason IN ('calendar_unavailable', 'internal')
                OR problem_reason NOT IN
                ('not_connected', 'reconnect_required', 'calendar_unavailable', 'google_unavailable', 'google_throttled', 'event_refused', 'google_misconfigured', 'account_unavailable', 'keyring_incomplete', 'internal')
                THEN TIMESTAMPTZ '1970-01-01 00:00:00+00' ELSE problem_retry_at END
        END
    ) STORED;
COMMENT ON COLUMN calendar_integrations.owed_served_from IS
    'The same of what is owed: a target calendar out of reach, or a setting that does not read, says nothing of the others; a disconnect deletes.';
CREATE TRIGGER copy_served_from_of_updates AFTER UPDATE ON calendar_integrations FOR EACH ROW
    WHEN (NEW.served_from IS DISTINCT FROM OLD.served_from OR NEW.owed_served_from IS DISTINCT FROM OLD.owed_served_from
        OR NEW.disconnecting_at IS DISTINCT FROM OLD.disconnecting_at)
    EXECUTE FUNCTION copy_served_from();

-- What waits already.
UPDATE link_queues AS q SET owed_served_from = i.owed_served_from
FROM calendar_integrations AS i
WHERE i.organisation_id = q.organisation_id AND i.provider = q.provider
    AND q.owed_served_from IS DISTINCT FROM i.owed_served_from;
