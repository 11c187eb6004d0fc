-- Events that may stand at the provider and are wanted there no more; each row ends when the event is gone.
CREATE TABLE owed_deletions (
    -- The organisation of Cassius whose event it is.
    organisation_id TEXT NOT NULL,
    -- Whose calendar it is; google so far.
    provider TEXT NOT NULL,
    -- The sub of the Google account that the event was written with.
    google_user_id TEXT NOT NULL,
    -- The calendar that the event stands in.
    calendar_id TEXT NOT NULL,
    -- The event.
    event_id TEXT NOT NULL,
    -- The appointment of Cassius that the event shows.
    appointment_id TEXT NOT NULL,
    -- Which event of the appointment it is.
    generation INTEGER NOT NULL,
    -- Why it is wanted no more: account_exchanged, left_behind, disconnect, erasure or comparison.
    cause TEXT NOT NULL,
    -- When its deletion is due; NULL while it is parked: it could not be deleted, and waits for another account or a person.
    next_attempt_at BIGINT,
    -- How many attempts have failed in a row.
    attempts INTEGER NOT NULL DEFAULT 0,
    -- Proves which worker holds the row, in the form of a UUID; NULL if none does. The link of the appointment has the same lease.
    lease_token TEXT,
    -- When that worker loses the row.
    lease_until BIGINT,
    -- Why the latest attempt failed, in the words of error_reason.proto.
    last_error TEXT,
    -- Google's own word for that; never anything of the appointment.
    last_error_detail TEXT,
    -- When the row was made.
    created_at BIGINT NOT NULL,
    -- When the row was last changed.
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, provider, google_user_id, calendar_id, event_id)
);

-- Claims take the first rows of this; without `next_attempt_at` a row is parked.
CREATE INDEX owed_deletions_due
    ON owed_deletions (organisation_id, next_attempt_at)
    WHERE next_attempt_at IS NOT NULL;

-- What is owed of one appointment.
CREATE INDEX owed_deletions_by_appointment
    ON owed_deletions (organisation_id, appointment_id);

ALTER TABLE calendar_integrations ADD COLUMN
    disconnect_remote_events /* What becomes of the events at a disconnect that is under way: keep, delete_upcoming or delete_all. */ TEXT;
ALTER TABLE calendar_integrations ADD COLUMN
    disconnect_total /* How many events the latest disconnect had to delete. */ INTEGER NOT NULL DEFAULT 0;
ALTER TABLE calendar_integrations ADD COLUMN
    finishing_until /* Until when one process alone may revoke the grant and erase the tokens at the end of a disconnect. */ BIGINT;

-- The few disconnects that are under way.
CREATE INDEX calendar_integrations_disconnecting
    ON calendar_integrations (organisation_id)
    WHERE disconnecting_at IS NOT NULL;
