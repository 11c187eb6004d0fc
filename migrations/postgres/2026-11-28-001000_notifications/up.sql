-- What is committed is told to whoever listens, by the database itself: no statement can forget it. A notification is
-- who wrote it (the application's name), what kind of change it is, the organisation and perhaps the appointment, one a
-- line. None of these holds a line break. Equal ones of a transaction are one.
CREATE FUNCTION notify_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed RECORD;
    -- An expression that is assigned is not planned for each row, as a query would be.
    notified TEXT;
BEGIN
    IF TG_OP = 'DELETE' THEN changed := OLD; ELSE changed := NEW; END IF;
    notified := pg_notify('cassius_calendar', concat_ws(E'\n',
        current_setting('application_name'), TG_ARGV[0], changed.organisation_id));
    RETURN NULL;
END
$$;

CREATE FUNCTION notify_settled() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    notified TEXT;
BEGIN
    notified := pg_notify('cassius_calendar', concat_ws(E'\n',
        current_setting('application_name'), 'settled', NEW.organisation_id, NEW.appointment_id));
    RETURN NULL;
END
$$;

-- What a status shows of an integration, and what decides whether it is served. Leases, tokens and the time of the
-- latest success are no change by themselves.
CREATE TRIGGER notify_new AFTER INSERT ON calendar_integrations FOR EACH ROW EXECUTE FUNCTION notify_change('integration');
CREATE TRIGGER notify_changed AFTER UPDATE ON calendar_integrations FOR EACH ROW
    WHEN (
        (OLD.google_user_id, OLD.google_email, OLD.refresh_token IS NULL, OLD.calendar_id, OLD.calendar_name,
         OLD.is_enabled, OLD.title_privacy, OLD.problem_reason, OLD.problem_retry_at, OLD.connected_at,
         OLD.catch_up_total, OLD.catch_up_started_at, OLD.disconnecting_at, OLD.disconnect_remote_events,
         OLD.disconnect_total, OLD.finishing_until, OLD.epoch)
        IS DISTINCT FROM
        (NEW.google_user_id, NEW.google_email, NEW.refresh_token IS NULL, NEW.calendar_id, NEW.calendar_name,
         NEW.is_enabled, NEW.title_privacy, NEW.problem_reason, NEW.problem_retry_at, NEW.connected_at,
         NEW.catch_up_total, NEW.catch_up_started_at, NEW.disconnecting_at, NEW.disconnect_remote_events,
         NEW.disconnect_total, NEW.finishing_until, NEW.epoch)
    )
    EXECUTE FUNCTION notify_change('integration');
CREATE TRIGGER notify_changed AFTER INSERT OR UPDATE OR DELETE ON pending_grants FOR EACH ROW
    EXECUTE FUNCTION notify_change('integration');

-- A claim and the renewal of a lease change none of these.
CREATE TRIGGER notify_new AFTER INSERT ON appointment_external_links FOR EACH ROW EXECUTE FUNCTION notify_change('links');
CREATE TRIGGER notify_changed AFTER UPDATE ON appointment_external_links FOR EACH ROW
    WHEN (
        (OLD.sync_status, OLD.next_attempt_at, OLD.revision) IS DISTINCT FROM
        (NEW.sync_status, NEW.next_attempt_at, NEW.revision)
        AND NOT (OLD.sync_status = 'pending' AND NEW.sync_status <> 'pending')
    )
    EXECUTE FUNCTION notify_change('links');
CREATE TRIGGER notify_settled AFTER UPDATE ON appointment_external_links FOR EACH ROW
    WHEN (OLD.sync_status = 'pending' AND NEW.sync_status <> 'pending')
    EXECUTE FUNCTION notify_settled();

CREATE TRIGGER notify_new AFTER INSERT OR DELETE ON owed_deletions FOR EACH ROW EXECUTE FUNCTION notify_change('links');
CREATE TRIGGER notify_changed AFTER UPDATE ON owed_deletions FOR EACH ROW
    WHEN (OLD.next_attempt_at IS DISTINCT FROM NEW.next_attempt_at)
    EXECUTE FUNCTION notify_change('links');
