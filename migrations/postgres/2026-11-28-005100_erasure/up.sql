ALTER TABLE calendar_integrations ADD COLUMN disconnected_at TIMESTAMPTZ, ADD COLUMN erasing_at TIMESTAMPTZ;
ALTER TABLE appointment_external_links ADD COLUMN accepted_at TIMESTAMPTZ, ADD COLUMN erasing_at TIMESTAMPTZ;
COMMENT ON COLUMN calendar_integrations.disconnected_at IS
    'When the latest disconnect ended; NULL before the first one and since the next connect.';
COMMENT ON COLUMN calendar_integrations.erasing_at IS
    'Since when everything of the organisation is being erased; NULL: nothing is.';
COMMENT ON COLUMN appointment_external_links.accepted_at IS
    'When a state of the appointment was last accepted; NULL: before this column was there.';
COMMENT ON COLUMN appointment_external_links.erasing_at IS
    'Since when the appointment is being erased: what is left is the row, until nothing of it is owed; NULL: it is not.';

-- Those that were disconnected before count from now on.
UPDATE calendar_integrations SET disconnected_at = now() WHERE refresh_token IS NULL AND google_user_id IS NOT NULL;

CREATE TABLE sealed_calendars (
    organisation_id TEXT COLLATE "C" NOT NULL,
    provider TEXT NOT NULL,
    alias TEXT NOT NULL,
    calendar BYTEA NOT NULL,
    PRIMARY KEY (organisation_id, provider, alias)
);
COMMENT ON TABLE sealed_calendars IS
    'The calendars of organisations that are not connected: their ids may be addresses, and stand in all other tables under an alias.';
COMMENT ON COLUMN sealed_calendars.organisation_id IS
    'The organisation of Cassius whose events stand in the calendar.';
COMMENT ON COLUMN sealed_calendars.provider IS
    'Whose calendar it is; google so far.';
COMMENT ON COLUMN sealed_calendars.alias IS
    'What stands for the id of the calendar in all other rows of the organisation.';
COMMENT ON COLUMN sealed_calendars.calendar IS
    'The id and the name of the calendar, sealed.';

-- The few appointments that are being erased.
CREATE INDEX appointment_external_links_erasing
    ON appointment_external_links (organisation_id) WHERE erasing_at IS NOT NULL;
