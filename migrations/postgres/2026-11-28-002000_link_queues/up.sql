-- Whether an integration may be served is said here alone, and copied to link_queues by a trigger. A reason that this list
-- does not know holds nothing up: it is found again, if it lasts.
ALTER TABLE calendar_integrations
    ADD COLUMN served_from TIMESTAMPTZ GENERATED ALWAYS AS (
        CASE WHEN refresh_token IS NOT NULL AND disconnecting_at IS NULL AND is_enabled AND calendar_id IS NOT NULL
            THEN CASE WHEN problem_reason IS NULL OR problem_reason NOT IN
                ('not_connected', 'reconnect_required', 'calendar_unavailable', 'google_unavailable', 'google_throttled', 'event_refused', 'google_misconfigured', 'account_unavailable', 'keyring_incomplete', 'internal')
                THEN TIMESTAMPTZ '1970-01-01 00:00:00+00' ELSE problem_retry_at END
        END
    ) STORED,
    ADD COLUMN owed_served_from TIMESTAMPTZ GENERATED ALWAYS AS (
        CASE WHEN refresh_token IS NOT NULL
                AND CASE WHEN disconnecting_at IS NULL THEN is_enabled ELSE disconnect_remote_events <> 'keep' END
            THEN CASE WHEN problem_reason IS NULL OR problem_reason IN ('calendar_unavailable', 'internal')
                OR problem_reason NOT IN
                ('not_connected', 'reconnect_required', 'calendar_unavailable', 'google_unavailable', 'google_throttled', 'event_refused', 'google_misconfigured', 'account_unavailable', 'keyring_incomplete', 'internal')
                THEN TIMESTAMPTZ '1970-01-01 00:00:00+00' ELSE problem_retry_at END
        END
    ) STORED;
COMMENT ON COLUMN calendar_integrations.served_from IS
    'From when on its links may be sent: 1970 if nothing is wrong, the retry of a problem, NULL if they may not.';
COMMENT ON COLUMN calendar_integrations.owed_served_from IS
    'The same of what is owed: a target calendar out of reach, or a setting that does not read, says nothing of the others; a disconnect deletes.';

CREATE TABLE link_queues (
    organisation_id TEXT COLLATE "C" NOT NULL,
    provider TEXT NOT NULL,
    pending BIGINT NOT NULL DEFAULT 0,
    synced BIGINT NOT NULL DEFAULT 0,
    error BIGINT NOT NULL DEFAULT 0,
    catching_up BIGINT NOT NULL DEFAULT 0,
    catch_up_failed BIGINT NOT NULL DEFAULT 0,
    due_at TIMESTAMPTZ,
    owed_due_at TIMESTAMPTZ,
    served_from TIMESTAMPTZ,
    owed_served_from TIMESTAMPTZ,
    ready_at TIMESTAMPTZ GENERATED ALWAYS AS (CASE WHEN served_from > due_at THEN served_from
        WHEN served_from IS NOT NULL THEN due_at END) STORED,
    owed_ready_at TIMESTAMPTZ GENERATED ALWAYS AS (CASE WHEN owed_served_from > owed_due_at THEN owed_served_from
        WHEN owed_served_from IS NOT NULL THEN owed_due_at END) STORED,
    recounted_at TIMESTAMPTZ,
    PRIMARY KEY (organisation_id, provider)
) WITH (fillfactor = 50);
COMMENT ON TABLE link_queues IS
    'What is kept of the links of an organisation: how many stand how, and when the next is due. Triggers keep it; whoever changes links holds the row first.';
COMMENT ON COLUMN link_queues.organisation_id IS
    'The organisation of Cassius whose links these are.';
COMMENT ON COLUMN link_queues.provider IS
    'Whose calendar it is; google so far.';
COMMENT ON COLUMN link_queues.pending IS
    'How many links are pending.';
COMMENT ON COLUMN link_queues.synced IS
    'How many links are synced.';
COMMENT ON COLUMN link_queues.error IS
    'How many links are in error.';
COMMENT ON COLUMN link_queues.catching_up IS
    'How many of the pending ones a catch-up asked for.';
COMMENT ON COLUMN link_queues.catch_up_failed IS
    'How many of those in error a catch-up asked for.';
COMMENT ON COLUMN link_queues.due_at IS
    'No link can be attempted before; NULL: none can. Triggers bring it nearer, a look alone puts it off.';
COMMENT ON COLUMN link_queues.owed_due_at IS
    'The same of the owed deletions.';
COMMENT ON COLUMN link_queues.served_from IS
    'A copy of the integration''s own; NULL without one.';
COMMENT ON COLUMN link_queues.owed_served_from IS
    'A copy of the integration''s own; NULL without one.';
COMMENT ON COLUMN link_queues.ready_at IS
    'The later of due_at and served_from: from then on a worker looks for links; NULL: none looks.';
COMMENT ON COLUMN link_queues.owed_ready_at IS
    'The same of the owed deletions.';
COMMENT ON COLUMN link_queues.recounted_at IS
    'When the counts were last held against the links; NULL if they never were.';

CREATE TABLE upcoming_link_counts (
    organisation_id TEXT COLLATE "C" NOT NULL,
    provider TEXT NOT NULL,
    day INTEGER NOT NULL,
    events BIGINT NOT NULL DEFAULT 0,
    unsent BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (organisation_id, provider, day)
) WITH (fillfactor = 50);
COMMENT ON TABLE upcoming_link_counts IS
    'How many links whose appointment ends on a day have an event, or were never sent. Triggers keep it; a day that is over is not kept right, and dropped at a recount.';
COMMENT ON COLUMN upcoming_link_counts.organisation_id IS
    'The organisation of Cassius whose links these are.';
COMMENT ON COLUMN upcoming_link_counts.provider IS
    'Whose calendar it is; google so far.';
COMMENT ON COLUMN upcoming_link_counts.day IS
    'The day in UTC, counted from 1970-01-01.';
COMMENT ON COLUMN upcoming_link_counts.events IS
    'How many have an event.';
COMMENT ON COLUMN upcoming_link_counts.unsent IS
    'How many were never sent, though an event should stand.';

-- The organisations that have work now, and the instant of the next.
CREATE INDEX link_queues_ready ON link_queues (ready_at) WHERE ready_at IS NOT NULL;
CREATE INDEX link_queues_owed_ready ON link_queues (owed_ready_at) WHERE owed_ready_at IS NOT NULL;

-- Whose counts are to be held against the links next.
CREATE INDEX link_queues_recounted ON link_queues (recounted_at NULLS FIRST);

-- From when on a row can be attempted that is due at the first instant and leased until the second.
CREATE FUNCTION attemptable_at(next_attempt_at TIMESTAMPTZ, lease_until TIMESTAMPTZ) RETURNS TIMESTAMPTZ
LANGUAGE sql IMMUTABLE AS
    'SELECT CASE WHEN lease_until > next_attempt_at THEN lease_until ELSE next_attempt_at END';

CREATE FUNCTION day_of(ends_at TIMESTAMPTZ) RETURNS INTEGER
LANGUAGE sql IMMUTABLE AS
    'SELECT floor(extract(epoch FROM ends_at) / 86400)::integer';

-- A link as it counts: with 1 as it is, and with -1 as it was before.
CREATE TYPE link_change AS (
    organisation_id TEXT,
    provider TEXT,
    n INTEGER,
    sync_status TEXT,
    priority SMALLINT,
    day INTEGER,
    is_event BOOLEAN,
    is_unsent BOOLEAN,
    due_at TIMESTAMPTZ
);

-- Adds changes up, in the order of keys. What changes nothing locks nothing: a lease is renewed by whoever does not hold
-- the queue. The plan is made once a connection: each step finds its row by a key, however many there are.
CREATE FUNCTION keep_link_queues(changes link_change[]) RETURNS void
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    INSERT INTO link_queues AS q (organisation_id, provider, pending, synced, error, catching_up, catch_up_failed, due_at)
    SELECT * FROM (
        SELECT organisation_id, provider,
            COALESCE(SUM(n) FILTER (WHERE sync_status = 'pending'), 0) AS pending,
            COALESCE(SUM(n) FILTER (WHERE sync_status = 'synced'), 0) AS synced,
            COALESCE(SUM(n) FILTER (WHERE sync_status = 'error'), 0) AS error,
            COALESCE(SUM(n) FILTER (WHERE sync_status = 'pending' AND priority = 1), 0) AS catching_up,
            COALESCE(SUM(n) FILTER (WHERE sync_status = 'error' AND priority = 1), 0) AS catch_up_failed,
            MIN(due_at) AS due_at
        FROM unnest(changes) GROUP BY organisation_id, provider
    ) AS net
    WHERE pending <> 0 OR synced <> 0 OR error <> 0 OR catching_up <> 0 OR catch_up_failed <> 0
        OR COALESCE((SELECT due_at IS NOT NULL AND (k.due_at IS NULL OR k.due_at > net.due_at) FROM link_queues AS k
            WHERE k.organisation_id = net.organisation_id AND k.provider = net.provider), TRUE)
    ORDER BY organisation_id, provider
    ON CONFLICT (organisation_id, provider) DO UPDATE SET pending = q.pending + excluded.pending,
        synced = q.synced + excluded.synced, error = q.error + excluded.error,
        catching_up = q.catching_up + excluded.catching_up, catch_up_failed = q.catch_up_failed + excluded.catch_up_failed,
        due_at = LEAST(q.due_at, excluded.due_at);

    INSERT INTO upcoming_link_counts AS u (organisation_id, provider, day, events, unsent)
    SELECT * FROM (
        SELECT organisation_id, provider, day,
            COALESCE(SUM(n) FILTER (WHERE is_event), 0) AS events,
            COALESCE(SUM(n) FILTER (WHERE is_unsent), 0) AS unsent
        FROM unnest(changes) WHERE day IS NOT NULL AND (is_event OR is_unsent) GROUP BY organisation_id, provider, day
    ) AS net
    WHERE events <> 0 OR unsent <> 0
    ORDER BY organisation_id, provider, day
    ON CONFLICT (organisation_id, provider, day) DO UPDATE
        SET events = u.events + excluded.events, unsent = u.unsent + excluded.unsent;
END $$;

CREATE FUNCTION keep_link_queues_of_inserts() RETURNS trigger
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE changes link_change[];
BEGIN
    SELECT array_agg(ROW(organisation_id, provider, 1, sync_status, priority, day_of(ends_at), external_event_id IS NOT NULL,
        sync_status = 'none' AND wants_event AND snapshot IS NOT NULL, attemptable_at(next_attempt_at, lease_until))::link_change)
    INTO changes FROM new_links;
    IF changes IS NOT NULL THEN PERFORM keep_link_queues(changes); END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION keep_link_queues_of_deletes() RETURNS trigger
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE changes link_change[];
BEGIN
    SELECT array_agg(ROW(organisation_id, provider, -1, sync_status, priority, day_of(ends_at), external_event_id IS NOT NULL,
        sync_status = 'none' AND wants_event AND snapshot IS NOT NULL, NULL::timestamptz)::link_change)
    INTO changes FROM old_links;
    IF changes IS NOT NULL THEN PERFORM keep_link_queues(changes); END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION keep_link_queues_of_updates() RETURNS trigger
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE changes link_change[];
BEGIN
    SELECT array_agg(change) INTO changes FROM (
        SELECT ROW(organisation_id, provider, 1, sync_status, priority, day_of(ends_at), external_event_id IS NOT NULL,
            sync_status = 'none' AND wants_event AND snapshot IS NOT NULL,
            attemptable_at(next_attempt_at, lease_until))::link_change AS change
        FROM new_links
        UNION ALL
        SELECT ROW(organisation_id, provider, -1, sync_status, priority, day_of(ends_at), external_event_id IS NOT NULL,
            sync_status = 'none' AND wants_event AND snapshot IS NOT NULL, NULL::timestamptz)::link_change
        FROM old_links
    ) AS of_both;
    IF changes IS NULL THEN RETURN NULL; END IF;
    PERFORM keep_link_queues(changes);
    -- A deletion that waited for the lease of its link. Most often nothing is owed at all.
    IF NOT EXISTS (SELECT 1 FROM owed_deletions) THEN RETURN NULL; END IF;
    UPDATE link_queues AS q SET owed_due_at = freed.due_at
    FROM (
        SELECT b.organisation_id, b.provider, MIN(o.next_attempt_at) AS due_at
        FROM old_links AS b JOIN owed_deletions AS o USING (organisation_id, appointment_id, provider)
        WHERE b.lease_until IS NOT NULL AND NOT EXISTS (SELECT 1 FROM appointment_external_links AS l
            WHERE l.organisation_id = b.organisation_id AND l.appointment_id = b.appointment_id AND l.provider = b.provider
                AND l.lease_until >= b.lease_until)
        GROUP BY b.organisation_id, b.provider
    ) AS freed
    WHERE q.organisation_id = freed.organisation_id AND q.provider = freed.provider
        AND freed.due_at IS NOT NULL AND (q.owed_due_at IS NULL OR q.owed_due_at > freed.due_at);
    RETURN NULL;
END $$;

CREATE TRIGGER keep_link_queues_of_inserts AFTER INSERT ON appointment_external_links
    REFERENCING NEW TABLE AS new_links FOR EACH STATEMENT EXECUTE FUNCTION keep_link_queues_of_inserts();
CREATE TRIGGER keep_link_queues_of_updates AFTER UPDATE ON appointment_external_links
    REFERENCING OLD TABLE AS old_links NEW TABLE AS new_links
    FOR EACH STATEMENT EXECUTE FUNCTION keep_link_queues_of_updates();
CREATE TRIGGER keep_link_queues_of_deletes AFTER DELETE ON appointment_external_links
    REFERENCING OLD TABLE AS old_links FOR EACH STATEMENT EXECUTE FUNCTION keep_link_queues_of_deletes();

-- What is owed: nearer than what is noted already.
CREATE FUNCTION keep_owed_due_at() RETURNS trigger
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    INSERT INTO link_queues AS q (organisation_id, provider, owed_due_at)
    SELECT * FROM (
        SELECT organisation_id, provider, MIN(attemptable_at(next_attempt_at, lease_until)) AS owed_due_at FROM new_rows
        WHERE next_attempt_at IS NOT NULL GROUP BY organisation_id, provider
    ) AS nearest
    WHERE NOT EXISTS (SELECT 1 FROM link_queues AS k WHERE k.organisation_id = nearest.organisation_id
        AND k.provider = nearest.provider AND k.owed_due_at <= nearest.owed_due_at)
    ORDER BY organisation_id, provider
    ON CONFLICT (organisation_id, provider) DO UPDATE SET owed_due_at = excluded.owed_due_at
    WHERE q.owed_due_at IS NULL OR q.owed_due_at > excluded.owed_due_at;
    RETURN NULL;
END $$;
CREATE TRIGGER keep_owed_due_at_of_inserts AFTER INSERT ON owed_deletions
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_owed_due_at();
CREATE TRIGGER keep_owed_due_at_of_updates AFTER UPDATE ON owed_deletions
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_owed_due_at();

-- Whether it is served. What waited meanwhile goes to the end of the line. Where a disconnect begins or ends, whatever is
-- owed is looked at again.
CREATE FUNCTION copy_served_from() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO link_queues AS q (organisation_id, provider, served_from, owed_served_from)
    VALUES (NEW.organisation_id, NEW.provider, NEW.served_from, NEW.owed_served_from)
    ON CONFLICT (organisation_id, provider) DO UPDATE SET served_from = excluded.served_from,
        owed_served_from = excluded.owed_served_from,
        due_at = CASE WHEN q.due_at < NEW.updated_at THEN NEW.updated_at ELSE q.due_at END,
        owed_due_at = (SELECT MIN(GREATEST(next_attempt_at, NEW.updated_at)) FROM owed_deletions AS o
            WHERE next_attempt_at IS NOT NULL AND o.organisation_id = q.organisation_id AND o.provider = q.provider);
    RETURN NULL;
END $$;
CREATE TRIGGER copy_served_from_of_inserts AFTER INSERT ON calendar_integrations
    FOR EACH ROW EXECUTE FUNCTION copy_served_from();
CREATE TRIGGER copy_served_from_of_updates AFTER UPDATE ON calendar_integrations FOR EACH ROW
    WHEN (NEW.served_from IS DISTINCT FROM OLD.served_from OR NEW.owed_served_from IS DISTINCT FROM OLD.owed_served_from
        OR NEW.disconnecting_at IS DISTINCT FROM OLD.disconnecting_at)
    EXECUTE FUNCTION copy_served_from();

-- What stands already.
INSERT INTO link_queues (organisation_id, provider, pending, synced, error, catching_up, catch_up_failed, due_at)
SELECT organisation_id, provider,
    COUNT(*) FILTER (WHERE sync_status = 'pending'),
    COUNT(*) FILTER (WHERE sync_status = 'synced'),
    COUNT(*) FILTER (WHERE sync_status = 'error'),
    COUNT(*) FILTER (WHERE sync_status = 'pending' AND priority = 1),
    COUNT(*) FILTER (WHERE sync_status = 'error' AND priority = 1),
    MIN(attemptable_at(next_attempt_at, lease_until))
FROM appointment_external_links GROUP BY organisation_id, provider;
INSERT INTO link_queues AS q (organisation_id, provider, served_from, owed_served_from, owed_due_at)
SELECT i.organisation_id, i.provider, i.served_from, i.owed_served_from,
    (SELECT MIN(next_attempt_at) FROM owed_deletions AS o
        WHERE o.organisation_id = i.organisation_id AND o.provider = i.provider)
FROM calendar_integrations AS i
ON CONFLICT (organisation_id, provider) DO UPDATE SET served_from = excluded.served_from,
    owed_served_from = excluded.owed_served_from, owed_due_at = excluded.owed_due_at;
INSERT INTO upcoming_link_counts (organisation_id, provider, day, events, unsent)
SELECT organisation_id, provider, day_of(ends_at), COUNT(*) FILTER (WHERE external_event_id IS NOT NULL),
    COUNT(*) FILTER (WHERE sync_status = 'none' AND wants_event AND snapshot IS NOT NULL)
FROM appointment_external_links
WHERE ends_at > now() - INTERVAL '2 days' AND (external_event_id IS NOT NULL OR sync_status = 'none')
GROUP BY organisation_id, provider, day_of(ends_at);
