-- Whether an integration may be served is said here alone, and copied to link_queues by a trigger. A reason that this list
-- does not know holds nothing up: it is found again, if it lasts.
ALTER TABLE calendar_integrations ADD COLUMN
    served_from /* From when on its links may be sent: 1970 if nothing is wrong, the retry of a problem, NULL if they may not. */
    BIGINT GENERATED ALWAYS AS (
        CASE WHEN refresh_token IS NOT NULL AND disconnecting_at IS NULL AND is_enabled AND calendar_id IS NOT NULL
            THEN CASE WHEN problem_reason IS NULL OR problem_reason NOT IN
                ('not_connected', 'reconnect_required', 'calendar_unavailable', 'google_unavailable', 'google_throttled', 'event_refused', 'google_misconfigured', 'account_unavailable', 'keyring_incomplete', 'internal')
                THEN 0 ELSE problem_retry_at END
        END
    ) VIRTUAL;
ALTER TABLE calendar_integrations ADD COLUMN
    owed_served_from /* The same of what is owed: a target calendar out of reach, or a setting that does not read, says nothing of the others; a disconnect deletes. */
    BIGINT GENERATED ALWAYS AS (
        CASE WHEN refresh_token IS NOT NULL
                AND CASE WHEN disconnecting_at IS NULL THEN is_enabled ELSE disconnect_remote_events <> 'keep' END
            THEN CASE WHEN problem_reason IS NULL OR problem_reason IN ('calendar_unavailable', 'internal')
                OR problem_reason NOT IN
                ('not_connected', 'reconnect_required', 'calendar_unavailable', 'google_unavailable', 'google_throttled', 'event_refused', 'google_misconfigured', 'account_unavailable', 'keyring_incomplete', 'internal')
                THEN 0 ELSE problem_retry_at END
        END
    ) VIRTUAL;

-- What is kept of the links of an organisation: how many stand how, and when the next is due. Triggers keep it; whoever
-- changes links holds the row first.
CREATE TABLE link_queues (
    -- The organisation of Cassius whose links these are.
    organisation_id TEXT NOT NULL,
    -- Whose calendar it is; google so far.
    provider TEXT NOT NULL,
    -- How many links are pending.
    pending BIGINT NOT NULL DEFAULT 0,
    -- How many links are synced.
    synced BIGINT NOT NULL DEFAULT 0,
    -- How many links are in error.
    error BIGINT NOT NULL DEFAULT 0,
    -- How many of the pending ones a catch-up asked for.
    catching_up BIGINT NOT NULL DEFAULT 0,
    -- How many of those in error a catch-up asked for.
    catch_up_failed BIGINT NOT NULL DEFAULT 0,
    -- No link can be attempted before; NULL: none can. Triggers bring it nearer, a look alone puts it off.
    due_at BIGINT,
    -- The same of the owed deletions.
    owed_due_at BIGINT,
    -- A copy of the integration's own; NULL without one.
    served_from BIGINT,
    -- A copy of the integration's own; NULL without one.
    owed_served_from BIGINT,
    -- The later of due_at and served_from: from then on a worker looks for links; NULL: none looks.
    ready_at BIGINT GENERATED ALWAYS AS (CASE WHEN served_from > due_at THEN served_from
        WHEN served_from IS NOT NULL THEN due_at END) VIRTUAL,
    -- The same of the owed deletions.
    owed_ready_at BIGINT GENERATED ALWAYS AS (CASE WHEN owed_served_from > owed_due_at THEN owed_served_from
        WHEN owed_served_from IS NOT NULL THEN owed_due_at END) VIRTUAL,
    -- When the counts were last held against the links; NULL if they never were.
    recounted_at BIGINT,
    PRIMARY KEY (organisation_id, provider)
);

-- How many links whose appointment ends on a day have an event, or were never sent. Triggers keep it; a day that is over is
-- not kept right, and dropped at a recount.
CREATE TABLE upcoming_link_counts (
    -- The organisation of Cassius whose links these are.
    organisation_id TEXT NOT NULL,
    -- Whose calendar it is; google so far.
    provider TEXT NOT NULL,
    -- The day in UTC, counted from 1970-01-01.
    day INTEGER NOT NULL,
    -- How many have an event.
    events BIGINT NOT NULL DEFAULT 0,
    -- How many were never sent, though an event should stand.
    unsent BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (organisation_id, provider, day)
) WITHOUT ROWID;

-- The organisations that have work now, and the instant of the next.
CREATE INDEX link_queues_ready ON link_queues (ready_at) WHERE ready_at IS NOT NULL;
CREATE INDEX link_queues_owed_ready ON link_queues (owed_ready_at) WHERE owed_ready_at IS NOT NULL;

-- Whose counts are to be held against the links next.
CREATE INDEX link_queues_recounted ON link_queues (recounted_at);

CREATE TRIGGER link_queues_of_inserts AFTER INSERT ON appointment_external_links
BEGIN
    INSERT INTO link_queues (organisation_id, provider, pending, synced, error, catching_up, catch_up_failed, due_at)
    VALUES (NEW.organisation_id, NEW.provider, NEW.sync_status = 'pending', NEW.sync_status = 'synced',
        NEW.sync_status = 'error', NEW.sync_status = 'pending' AND NEW.priority = 1,
        NEW.sync_status = 'error' AND NEW.priority = 1,
        CASE WHEN NEW.lease_until > NEW.next_attempt_at THEN NEW.lease_until ELSE NEW.next_attempt_at END)
    ON CONFLICT (organisation_id, provider) DO UPDATE SET pending = pending + excluded.pending,
        synced = synced + excluded.synced, error = error + excluded.error,
        catching_up = catching_up + excluded.catching_up, catch_up_failed = catch_up_failed + excluded.catch_up_failed,
        due_at = CASE WHEN excluded.due_at IS NULL OR excluded.due_at > due_at THEN due_at ELSE excluded.due_at END;
    INSERT INTO upcoming_link_counts (organisation_id, provider, day, events, unsent)
    SELECT NEW.organisation_id, NEW.provider, NEW.ends_at / 86400000000, NEW.external_event_id IS NOT NULL,
        NEW.sync_status = 'none' AND NEW.wants_event AND NEW.snapshot IS NOT NULL
    WHERE NEW.ends_at IS NOT NULL AND (NEW.external_event_id IS NOT NULL OR NEW.sync_status = 'none')
    ON CONFLICT (organisation_id, provider, day) DO UPDATE
        SET events = events + excluded.events, unsent = unsent + excluded.unsent;
END;

CREATE TRIGGER link_queues_of_statuses AFTER UPDATE OF sync_status, priority ON appointment_external_links
WHEN OLD.sync_status <> NEW.sync_status OR OLD.priority <> NEW.priority
BEGIN
    UPDATE link_queues SET
        pending = pending + (NEW.sync_status = 'pending') - (OLD.sync_status = 'pending'),
        synced = synced + (NEW.sync_status = 'synced') - (OLD.sync_status = 'synced'),
        error = error + (NEW.sync_status = 'error') - (OLD.sync_status = 'error'),
        catching_up = catching_up + (NEW.sync_status = 'pending' AND NEW.priority = 1)
            - (OLD.sync_status = 'pending' AND OLD.priority = 1),
        catch_up_failed = catch_up_failed + (NEW.sync_status = 'error' AND NEW.priority = 1)
            - (OLD.sync_status = 'error' AND OLD.priority = 1)
    WHERE organisation_id = NEW.organisation_id AND provider = NEW.provider;
END;

-- An instant that lies nearer than before.
CREATE TRIGGER link_queues_of_instants AFTER UPDATE OF next_attempt_at, lease_until ON appointment_external_links
WHEN NEW.next_attempt_at IS NOT NULL AND (OLD.next_attempt_at IS NULL
    OR max(NEW.next_attempt_at, COALESCE(NEW.lease_until, NEW.next_attempt_at))
        < max(OLD.next_attempt_at, COALESCE(OLD.lease_until, OLD.next_attempt_at)))
BEGIN
    UPDATE link_queues SET due_at = max(NEW.next_attempt_at, COALESCE(NEW.lease_until, NEW.next_attempt_at))
    WHERE organisation_id = NEW.organisation_id AND provider = NEW.provider
        AND (due_at IS NULL OR due_at > max(NEW.next_attempt_at, COALESCE(NEW.lease_until, NEW.next_attempt_at)));
END;

-- A deletion that waited for the lease of its link.
CREATE TRIGGER link_queues_of_freed_links AFTER UPDATE OF lease_until ON appointment_external_links
WHEN OLD.lease_until IS NOT NULL AND (NEW.lease_until IS NULL OR NEW.lease_until < OLD.lease_until)
BEGIN
    UPDATE link_queues SET owed_due_at = freed.due_at
    FROM (SELECT MIN(next_attempt_at) AS due_at FROM owed_deletions
        WHERE organisation_id = NEW.organisation_id AND appointment_id = NEW.appointment_id AND provider = NEW.provider) AS freed
    WHERE organisation_id = NEW.organisation_id AND provider = NEW.provider
        AND freed.due_at IS NOT NULL AND (owed_due_at IS NULL OR owed_due_at > freed.due_at);
END;

CREATE TRIGGER link_queues_of_days AFTER UPDATE OF sync_status, ends_at, external_event_id, wants_event, snapshot
ON appointment_external_links
WHEN OLD.ends_at IS NOT NEW.ends_at OR (OLD.external_event_id IS NULL) <> (NEW.external_event_id IS NULL)
    OR (OLD.sync_status = 'none' AND OLD.wants_event AND OLD.snapshot IS NOT NULL)
        <> (NEW.sync_status = 'none' AND NEW.wants_event AND NEW.snapshot IS NOT NULL)
BEGIN
    INSERT INTO upcoming_link_counts (organisation_id, provider, day, events, unsent)
    SELECT OLD.organisation_id, OLD.provider, OLD.ends_at / 86400000000, -(OLD.external_event_id IS NOT NULL),
        -(OLD.sync_status = 'none' AND OLD.wants_event AND OLD.snapshot IS NOT NULL)
    WHERE OLD.ends_at IS NOT NULL
    ON CONFLICT (organisation_id, provider, day) DO UPDATE
        SET events = events + excluded.events, unsent = unsent + excluded.unsent;
    INSERT INTO upcoming_link_counts (organisation_id, provider, day, events, unsent)
    SELECT NEW.organisation_id, NEW.provider, NEW.ends_at / 86400000000, NEW.external_event_id IS NOT NULL,
        NEW.sync_status = 'none' AND NEW.wants_event AND NEW.snapshot IS NOT NULL
    WHERE NEW.ends_at IS NOT NULL
    ON CONFLICT (organisation_id, provider, day) DO UPDATE
        SET events = events + excluded.events, unsent = unsent + excluded.unsent;
END;

CREATE TRIGGER link_queues_of_deletes AFTER DELETE ON appointment_external_links
BEGIN
    UPDATE link_queues SET pending = pending - (OLD.sync_status = 'pending'), synced = synced - (OLD.sync_status = 'synced'),
        error = error - (OLD.sync_status = 'error'),
        catching_up = catching_up - (OLD.sync_status = 'pending' AND OLD.priority = 1),
        catch_up_failed = catch_up_failed - (OLD.sync_status = 'error' AND OLD.priority = 1)
    WHERE organisation_id = OLD.organisation_id AND provider = OLD.provider;
    UPDATE upcoming_link_counts SET events = events - (OLD.external_event_id IS NOT NULL),
        unsent = unsent - (OLD.sync_status = 'none' AND OLD.wants_event AND OLD.snapshot IS NOT NULL)
    WHERE organisation_id = OLD.organisation_id AND provider = OLD.provider AND day = OLD.ends_at / 86400000000;
END;

-- What is owed: nearer than what is noted already.
CREATE TRIGGER link_queues_of_owed_inserts AFTER INSERT ON owed_deletions
WHEN NEW.next_attempt_at IS NOT NULL
BEGIN
    INSERT INTO link_queues (organisation_id, provider, owed_due_at)
    VALUES (NEW.organisation_id, NEW.provider, max(NEW.next_attempt_at, COALESCE(NEW.lease_until, NEW.next_attempt_at)))
    ON CONFLICT (organisation_id, provider) DO UPDATE SET owed_due_at = excluded.owed_due_at
    WHERE owed_due_at IS NULL OR owed_due_at > excluded.owed_due_at;
END;
CREATE TRIGGER link_queues_of_owed_updates AFTER UPDATE OF next_attempt_at, lease_until ON owed_deletions
WHEN NEW.next_attempt_at IS NOT NULL
BEGIN
    UPDATE link_queues SET owed_due_at = max(NEW.next_attempt_at, COALESCE(NEW.lease_until, NEW.next_attempt_at))
    WHERE organisation_id = NEW.organisation_id AND provider = NEW.provider
        AND (owed_due_at IS NULL OR owed_due_at > max(NEW.next_attempt_at, COALESCE(NEW.lease_until, NEW.next_attempt_at)));
END;

-- Whether it is served. What waited meanwhile goes to the end of the line. Where a disconnect begins or ends, whatever is
-- owed is looked at again.
CREATE TRIGGER link_queues_of_new_integrations AFTER INSERT ON calendar_integrations
BEGIN
    INSERT INTO link_queues (organisation_id, provider, served_from, owed_served_from)
    VALUES (NEW.organisation_id, NEW.provider, NEW.served_from, NEW.owed_served_from)
    ON CONFLICT (organisation_id, provider) DO UPDATE
        SET served_from = excluded.served_from, owed_served_from = excluded.owed_served_from;
END;
CREATE TRIGGER link_queues_of_integrations AFTER UPDATE ON calendar_integrations
WHEN NEW.served_from IS NOT OLD.served_from OR NEW.owed_served_from IS NOT OLD.owed_served_from
    OR NEW.disconnecting_at IS NOT OLD.disconnecting_at
BEGIN
    UPDATE link_queues SET served_from = NEW.served_from, owed_served_from = NEW.owed_served_from,
        due_at = max(due_at, NEW.updated_at),
        owed_due_at = (SELECT MIN(max(next_attempt_at, NEW.updated_at)) FROM owed_deletions
            WHERE organisation_id = NEW.organisation_id AND provider = NEW.provider)
    WHERE organisation_id = NEW.organisation_id AND provider = NEW.provider;
END;

-- What stands already.
INSERT INTO link_queues (organisation_id, provider, pending, synced, error, catching_up, catch_up_failed, due_at)
SELECT organisation_id, provider,
    COUNT(*) FILTER (WHERE sync_status = 'pending'),
    COUNT(*) FILTER (WHERE sync_status = 'synced'),
    COUNT(*) FILTER (WHERE sync_status = 'error'),
    COUNT(*) FILTER (WHERE sync_status = 'pending' AND priority = 1),
    COUNT(*) FILTER (WHERE sync_status = 'error' AND priority = 1),
    MIN(max(next_attempt_at, COALESCE(lease_until, next_attempt_at)))
FROM appointment_external_links GROUP BY organisation_id, provider;
INSERT INTO link_queues (organisation_id, provider, served_from, owed_served_from, owed_due_at)
SELECT i.organisation_id, i.provider, i.served_from, i.owed_served_from,
    (SELECT MIN(next_attempt_at) FROM owed_deletions AS o
        WHERE o.organisation_id = i.organisation_id AND o.provider = i.provider)
FROM calendar_integrations AS i WHERE TRUE
ON CONFLICT (organisation_id, provider) DO UPDATE SET served_from = excluded.served_from,
    owed_served_from = excluded.owed_served_from, owed_due_at = excluded.owed_due_at;
INSERT INTO upcoming_link_counts (organisation_id, provider, day, events, unsent)
SELECT organisation_id, provider, ends_at / 86400000000, COUNT(*) FILTER (WHERE external_event_id IS NOT NULL),
    COUNT(*) FILTER (WHERE sync_status = 'none' AND wants_event AND snapshot IS NOT NULL)
FROM appointment_external_links
WHERE ends_at > (unixepoch() - 172800) * 1000000 AND (external_event_id IS NOT NULL OR sync_status = 'none')
GROUP BY organisation_id, provider, ends_at / 86400000000;
