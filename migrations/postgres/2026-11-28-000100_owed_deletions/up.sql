CREATE TABLE owed_deletions (
    organisation_id TEXT COLLATE "C" NOT NULL,
    provider TEXT NOT NULL,
    google_user_id TEXT NOT NULL,
    calendar_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    appointment_id TEXT COLLATE "C" NOT NULL,
    generation INTEGER NOT NULL,
    cause TEXT NOT NULL,
    next_attempt_at TIMESTAMPTZ,
    attempts INTEGER NOT NULL DEFAULT 0,
    lease_token TEXT,
    lease_until TIMESTAMPTZ,
    last_error TEXT,
    last_error_detail TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (organisation_id, provider, google_user_id, calendar_id, event_id)
);
COMMENT ON TABLE owed_deletions IS
    'Events that may stand at the provider and are wanted there no more; each row ends when the event is gone.';
COMMENT ON COLUMN owed_deletions.organisation_id IS
    'The organisation of Cassius whose event it is.';
COMMENT ON COLUMN owed_deletions.provider IS
    'Whose calendar it is; google so far.';
COMMENT ON COLUMN owed_deletions.google_user_id IS
    'The sub of the Google account that the event was written with.';
COMMENT ON COLUMN owed_deletions.calendar_id IS
    'The calendar that the event stands in.';
COMMENT ON COLUMN owed_deletions.event_id IS
    'The event.';
COMMENT ON COLUMN owed_deletions.appointment_id IS
    'The appointment of Cassius that the event shows.';
COMMENT ON COLUMN owed_deletions.generation IS
    'Which event of the appointment it is.';
COMMENT ON COLUMN owed_deletions.cause IS
    'Why it is wanted no more: account_exchanged, left_behind, disconnect, erasure or comparison.';
COMMENT ON COLUMN owed_deletions.next_attempt_at IS
    'When its deletion is due; NULL while it is parked: it could not be deleted, and waits for another account or a person.';
COMMENT ON COLUMN owed_deletions.attempts IS
    'How many attempts have failed in a row.';
COMMENT ON COLUMN owed_deletions.lease_token IS
    'Proves which worker holds the row, in the form of a UUID; NULL if none does. The link of the appointment has the same lease.';
COMMENT ON COLUMN owed_deletions.lease_until IS
    'When that worker loses the row.';
COMMENT ON COLUMN owed_deletions.last_error IS
    'Why the latest attempt failed, in the words of error_reason.proto.';
COMMENT ON COLUMN owed_deletions.last_error_detail IS
    'Google''s own word for that; never anything of the appointment.';
COMMENT ON COLUMN owed_deletions.created_at IS
    'When the row was made.';
COMMENT ON COLUMN owed_deletions.updated_at IS
    'When the row was last changed.';

-- Claims take the first rows of this; without `next_attempt_at` a row is parked.
CREATE INDEX owed_deletions_due
    ON owed_deletions (organisation_id, next_attempt_at)
    WHERE next_attempt_at IS NOT NULL;

-- What is owed of one appointment.
CREATE INDEX owed_deletions_by_appointment
    ON owed_deletions (organisation_id, appointment_id);

ALTER TABLE calendar_integrations ADD COLUMN disconnect_remote_events TEXT;
ALTER TABLE calendar_integrations ADD COLUMN disconnect_total INTEGER NOT NULL DEFAULT 0;
ALTER TABLE calendar_integrations ADD COLUMN finishing_until TIMESTAMPTZ;
COMMENT ON COLUMN calendar_integrations.disconnect_remote_events IS
    'What becomes of the events at a disconnect that is under way: keep, delete_upcoming or delete_all.';
COMMENT ON COLUMN calendar_integrations.disconnect_total IS
    'How many events the latest disconnect had to delete.';
COMMENT ON COLUMN calendar_integrations.finishing_until IS
    'Until when one process alone may revoke the grant and erase the tokens at the end of a disconnect.';

-- The few disconnects that are under way.
CREATE INDEX calendar_integrations_disconnecting
    ON calendar_integrations (organisation_id)
    WHERE disconnecting_at IS NOT NULL;
