-- What was erased is deleted while the sync is off, too: which of what is owed may be, the statements say. Where it is switched
-- on or off, whatever is owed is looked at again.
DROP TRIGGER link_queues_of_integrations;
DROP TRIGGER link_queues_of_new_integrations;
ALTER TABLE calendar_integrations DROP COLUMN owed_served_from;
ALTER TABLE calendar_integrations ADD COLUMN
    owed_served_from /* From when on what is owed may be deleted: 1970 if nothing is wrong, the retry of a problem, NULL if nothing may; while the sync is off, what was erased alone. A target calendar out of reach, or a setting that does not read, says nothing of the others; a disconnect deletes all. */
    BIGINT GENERATED ALWAYS AS (
        CASE WHEN refresh_token IS NOT NULL
                AND (disconnecting_at IS NULL OR disconnect_remote_events <> 'keep')
            THEN CASE WHEN problem_reason IS NULL OR problem_reason IN ('calendar_unavailable', 'internal')
                OR problem_reason NOT IN
                ('not_connected', 'reconnect_required', 'calendar_unavailable', 'google_unavailable', 'google_throttled', 'event_refused', 'google_misconfigured', 'account_unavailable', 'keyring_incomplete', 'internal')
                THEN 0 ELSE problem_retry_at END
        END
    ) VIRTUAL;
CREATE TRIGGER link_queues_of_new_integrations AFTER INSERT ON calendar_integrations
BEGIN
    INSERT INTO link_queues (organisation_id, provider, served_from, owed_served_from)
    VALUES (NEW.organisation_id, NEW.provider, NEW.served_from, NEW.owed_served_from)
    ON CONFLICT (organisation_id, provider) DO UPDATE
        SET served_from = excluded.served_from, owed_served_from = excluded.owed_served_from;
END;
CREATE TRIGGER link_queues_of_integrations AFTER UPDATE ON calendar_integrations
WHEN NEW.served_from IS NOT OLD.served_from OR NEW.owed_served_from IS NOT OLD.owed_served_from
    OR NEW.is_enabled IS NOT OLD.is_enabled OR NEW.disconnecting_at IS NOT OLD.disconnecting_at
BEGIN
    UPDATE link_queues SET served_from = NEW.served_from, owed_served_from = NEW.owed_served_from,
        due_at = max(due_at, NEW.updated_at),
        owed_due_at = (SELECT MIN(max(next_attempt_at, NEW.updated_at)) FROM owed_deletions
            WHERE organisation_id = NEW.organisation_id AND provider = NEW.provider)
    WHERE organisation_id = NEW.organisation_id AND provider = NEW.provider;
END;

-- What waits already.
UPDATE link_queues SET owed_served_from = (SELECT i.owed_served_from FROM calendar_integrations AS i
    WHERE i.organisation_id = link_queues.organisation_id AND i.provider = link_queues.provider);
