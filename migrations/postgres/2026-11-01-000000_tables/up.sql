CREATE TABLE calendar_integrations (
    organisation_id TEXT COLLATE "C" NOT NULL,
    provider TEXT NOT NULL,
    id TEXT NOT NULL DEFAULT gen_random_uuid()::text,
    google_user_id TEXT,
    google_email TEXT,
    access_token BYTEA,
    refresh_token BYTEA,
    token_expiry TIMESTAMPTZ,
    granted_scopes TEXT NOT NULL DEFAULT '',
    calendar_id TEXT,
    calendar_name TEXT NOT NULL DEFAULT '',
    calendar_time_zone TEXT NOT NULL DEFAULT '',
    calendar_color TEXT NOT NULL DEFAULT '',
    calendar_is_primary BOOLEAN NOT NULL DEFAULT FALSE,
    is_enabled BOOLEAN NOT NULL DEFAULT TRUE,
    title_privacy TEXT NOT NULL DEFAULT 'full',
    problem_reason TEXT,
    problem_since TIMESTAMPTZ,
    problem_retry_at TIMESTAMPTZ,
    last_sync_at TIMESTAMPTZ,
    connected_at TIMESTAMPTZ,
    catch_up_total INTEGER,
    catch_up_started_at TIMESTAMPTZ,
    disconnecting_at TIMESTAMPTZ,
    epoch BIGINT NOT NULL DEFAULT 0,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (organisation_id, provider)
);
COMMENT ON TABLE calendar_integrations IS
    'One integration of an organisation with a calendar provider: grant, target calendar, settings.';
COMMENT ON COLUMN calendar_integrations.organisation_id IS
    'The organisation of Cassius that the integration belongs to.';
COMMENT ON COLUMN calendar_integrations.provider IS
    'Whose calendar it is; google so far.';
COMMENT ON COLUMN calendar_integrations.id IS
    'Names the integration by itself, in the form of a UUID.';
COMMENT ON COLUMN calendar_integrations.google_user_id IS
    'The sub of the Google account; kept after a disconnect, so that the same account finds its events again.';
COMMENT ON COLUMN calendar_integrations.google_email IS
    'The address of the Google account, as the settings page shows it; erased at a disconnect.';
COMMENT ON COLUMN calendar_integrations.access_token IS
    'The access token, sealed; erased at a disconnect.';
COMMENT ON COLUMN calendar_integrations.refresh_token IS
    'The refresh token, sealed; erased at a disconnect. Connected means that it is there and disconnecting_at is not.';
COMMENT ON COLUMN calendar_integrations.token_expiry IS
    'When the access token expires.';
COMMENT ON COLUMN calendar_integrations.granted_scopes IS
    'The scopes that the account granted, divided by blanks; erased at a disconnect.';
COMMENT ON COLUMN calendar_integrations.calendar_id IS
    'The target calendar, never by the alias primary; kept after a disconnect.';
COMMENT ON COLUMN calendar_integrations.calendar_name IS
    'The name of the target calendar when it was chosen.';
COMMENT ON COLUMN calendar_integrations.calendar_time_zone IS
    'The IANA zone of the target calendar; empty if unknown.';
COMMENT ON COLUMN calendar_integrations.calendar_color IS
    'The colour of the target calendar as #rrggbb; empty if unknown.';
COMMENT ON COLUMN calendar_integrations.calendar_is_primary IS
    'Whether the target calendar is the primary one of the account.';
COMMENT ON COLUMN calendar_integrations.is_enabled IS
    'Whether appointments are sent.';
COMMENT ON COLUMN calendar_integrations.title_privacy IS
    'How much of the patient''s name a title shows: full, initials or masked.';
COMMENT ON COLUMN calendar_integrations.problem_reason IS
    'What is wrong with the whole integration, in the words of error_reason.proto; NULL if nothing is.';
COMMENT ON COLUMN calendar_integrations.problem_since IS
    'Since when that is wrong.';
COMMENT ON COLUMN calendar_integrations.problem_retry_at IS
    'When the service tries again by itself; NULL with a problem: a person has to act first.';
COMMENT ON COLUMN calendar_integrations.last_sync_at IS
    'When an appointment was last brought in step.';
COMMENT ON COLUMN calendar_integrations.connected_at IS
    'When the account was connected; erased at a disconnect.';
COMMENT ON COLUMN calendar_integrations.catch_up_total IS
    'How many links the latest catch-up queued.';
COMMENT ON COLUMN calendar_integrations.catch_up_started_at IS
    'When the latest catch-up began.';
COMMENT ON COLUMN calendar_integrations.disconnecting_at IS
    'Since when a disconnect is under way.';
COMMENT ON COLUMN calendar_integrations.epoch IS
    'Grows at each connect and disconnect: what began in an earlier epoch may no longer write.';
COMMENT ON COLUMN calendar_integrations.created_at IS
    'When the row was made.';
COMMENT ON COLUMN calendar_integrations.updated_at IS
    'When the row was last changed.';

CREATE TABLE appointment_external_links (
    organisation_id TEXT COLLATE "C" NOT NULL,
    appointment_id TEXT COLLATE "C" NOT NULL,
    provider TEXT NOT NULL,
    revision BIGINT NOT NULL,
    snapshot BYTEA,
    starts_at TIMESTAMPTZ,
    ends_at TIMESTAMPTZ,
    sync_status TEXT NOT NULL,
    synced_revision BIGINT NOT NULL DEFAULT 0,
    external_calendar_id TEXT,
    external_event_id TEXT,
    generation INTEGER NOT NULL DEFAULT 1,
    moving_from_calendar_id TEXT,
    etag TEXT,
    content_hash BYTEA,
    html_link TEXT,
    last_synced_at TIMESTAMPTZ,
    next_attempt_at TIMESTAMPTZ,
    attempts INTEGER NOT NULL DEFAULT 0,
    lane SMALLINT NOT NULL DEFAULT 0,
    demand BIGINT NOT NULL DEFAULT 1,
    lease_token TEXT,
    lease_until TIMESTAMPTZ,
    last_error TEXT,
    last_error_detail TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (organisation_id, appointment_id, provider)
);
COMMENT ON TABLE appointment_external_links IS
    'What is known of an appointment and its event. The row is the queue: one row an appointment, no job table.';
COMMENT ON COLUMN appointment_external_links.organisation_id IS
    'The organisation of Cassius that the appointment belongs to.';
COMMENT ON COLUMN appointment_external_links.appointment_id IS
    'The appointment of Cassius, within its organisation.';
COMMENT ON COLUMN appointment_external_links.provider IS
    'Whose calendar it is; google so far.';
COMMENT ON COLUMN appointment_external_links.revision IS
    'The highest revision of the appointment that was accepted.';
COMMENT ON COLUMN appointment_external_links.snapshot IS
    'The appointment at that revision, sealed; erased once it is over.';
COMMENT ON COLUMN appointment_external_links.starts_at IS
    'When the appointment begins; NULL for a cancelled one that never said.';
COMMENT ON COLUMN appointment_external_links.ends_at IS
    'When the appointment ends; NULL for a cancelled one that never said.';
COMMENT ON COLUMN appointment_external_links.sync_status IS
    'How it stands: none, pending, synced or error.';
COMMENT ON COLUMN appointment_external_links.synced_revision IS
    'The revision that Google shows; 0 if none.';
COMMENT ON COLUMN appointment_external_links.external_calendar_id IS
    'The calendar that the event stands in, or is on its way to; NULL without an event.';
COMMENT ON COLUMN appointment_external_links.external_event_id IS
    'The event; stored before the first call, NULL without an event.';
COMMENT ON COLUMN appointment_external_links.generation IS
    'Which event of the appointment this is; without an event, which one the next will be.';
COMMENT ON COLUMN appointment_external_links.moving_from_calendar_id IS
    'The calendar that the event leaves, while a move is under way.';
COMMENT ON COLUMN appointment_external_links.etag IS
    'The state of the event that Google confirmed last; NULL before the first answer.';
COMMENT ON COLUMN appointment_external_links.content_hash IS
    'A keyed digest of the content that Google confirmed last; NULL while a call that changes it is unanswered.';
COMMENT ON COLUMN appointment_external_links.html_link IS
    'The page of the event at Google.';
COMMENT ON COLUMN appointment_external_links.last_synced_at IS
    'When it was last brought in step.';
COMMENT ON COLUMN appointment_external_links.next_attempt_at IS
    'When it is due; NULL if nothing is to be sent.';
COMMENT ON COLUMN appointment_external_links.attempts IS
    'How many attempts have failed in a row.';
COMMENT ON COLUMN appointment_external_links.lane IS
    'Who asked for the latest attempt: 0 a live edit, 1 a catch-up, which goes second.';
COMMENT ON COLUMN appointment_external_links.demand IS
    'Grows with each request to send: an attempt settles only the requests that it has seen.';
COMMENT ON COLUMN appointment_external_links.lease_token IS
    'Proves which worker holds the row, in the form of a UUID; NULL if none does.';
COMMENT ON COLUMN appointment_external_links.lease_until IS
    'When that worker loses the row.';
COMMENT ON COLUMN appointment_external_links.last_error IS
    'Why the latest attempt failed, in the words of error_reason.proto.';
COMMENT ON COLUMN appointment_external_links.last_error_detail IS
    'Google''s own word for that; never anything of the appointment.';
COMMENT ON COLUMN appointment_external_links.created_at IS
    'When the row was made.';
COMMENT ON COLUMN appointment_external_links.updated_at IS
    'When the row was last changed.';

CREATE TABLE oauth_consents (
    organisation_id TEXT COLLATE "C" NOT NULL,
    ticket_hash BYTEA NOT NULL,
    state_hash BYTEA,
    pkce_verifier BYTEA,
    nonce TEXT,
    return_url TEXT,
    expires_at TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (ticket_hash)
);
COMMENT ON TABLE oauth_consents IS
    'Round-trips to the provider''s consent page that are under way.';
COMMENT ON COLUMN oauth_consents.organisation_id IS
    'The organisation that wants to connect.';
COMMENT ON COLUMN oauth_consents.ticket_hash IS
    'The SHA-256 of the one-time ticket that the browser carries.';
COMMENT ON COLUMN oauth_consents.state_hash IS
    'The SHA-256 of the state that Google hands back; NULL until the browser has set out.';
COMMENT ON COLUMN oauth_consents.pkce_verifier IS
    'The PKCE verifier, sealed; NULL until the browser has set out.';
COMMENT ON COLUMN oauth_consents.nonce IS
    'What the id token has to repeat; NULL until the browser has set out.';
COMMENT ON COLUMN oauth_consents.return_url IS
    'Where the browser goes afterwards; NULL for a page of our own.';
COMMENT ON COLUMN oauth_consents.expires_at IS
    'When the consent lapses.';
COMMENT ON COLUMN oauth_consents.created_at IS
    'When the row was made.';

-- Claims take the first rows of this; without `next_attempt_at` a row is not in the queue.
CREATE INDEX appointment_external_links_due
    ON appointment_external_links (organisation_id, lane, next_attempt_at)
    WHERE next_attempt_at IS NOT NULL;

-- Counts and pages by status are read from this alone.
CREATE INDEX appointment_external_links_by_status
    ON appointment_external_links (organisation_id, provider, sync_status, appointment_id, lane);

-- The events that are not over yet.
CREATE INDEX appointment_external_links_upcoming
    ON appointment_external_links (organisation_id, provider, ends_at)
    WHERE external_event_id IS NOT NULL;

-- The few rows that a worker holds.
CREATE INDEX appointment_external_links_leased
    ON appointment_external_links (organisation_id, lease_until)
    WHERE lease_until IS NOT NULL;

-- What is still to be erased, the longest over first.
CREATE INDEX appointment_external_links_kept
    ON appointment_external_links (ends_at)
    WHERE snapshot IS NOT NULL;

-- What waits because an attempt failed: few rows, unless Google is away.
CREATE INDEX appointment_external_links_failed
    ON appointment_external_links (organisation_id, last_error, next_attempt_at)
    WHERE last_error IS NOT NULL;
