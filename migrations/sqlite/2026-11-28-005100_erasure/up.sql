ALTER TABLE calendar_integrations ADD COLUMN
    disconnected_at /* When the latest disconnect ended; NULL before the first one and since the next connect. */ BIGINT;
ALTER TABLE calendar_integrations ADD COLUMN
    erasing_at /* Since when everything of the organisation is being erased; NULL: nothing is. */ BIGINT;
ALTER TABLE appointment_external_links ADD COLUMN
    accepted_at /* When a state of the appointment was last accepted; NULL: before this column was there. */ BIGINT;
ALTER TABLE appointment_external_links ADD COLUMN
    erasing_at /* Since when the appointment is being erased: what is left is the row, until nothing of it is owed; NULL: it is not. */ BIGINT;

-- Those that were disconnected before count from now on.
UPDATE calendar_integrations SET disconnected_at = unixepoch() * 1000000
WHERE refresh_token IS NULL AND google_user_id IS NOT NULL;

-- The calendars of organisations that are not connected: their ids may be addresses, and stand in all other tables under an
-- alias.
CREATE TABLE sealed_calendars (
    -- The organisation of Cassius whose events stand in the calendar.
    organisation_id TEXT NOT NULL,
    -- Whose calendar it is; google so far.
    provider TEXT NOT NULL,
    -- What stands for the id of the calendar in all other rows of the organisation.
    alias TEXT NOT NULL,
    -- The id and the name of the calendar, sealed.
    calendar BLOB NOT NULL,
    PRIMARY KEY (organisation_id, provider, alias)
);

-- The few appointments that are being erased.
CREATE INDEX appointment_external_links_erasing
    ON appointment_external_links (organisation_id) WHERE erasing_at IS NOT NULL;
