-- Instants are whole microseconds since 1970-01-01T00:00:00Z.

-- One integration of an organisation with a calendar provider: grant, target calendar, settings.
CREATE TABLE calendar_integrations (
    -- The organisation of Cassius that the integration belongs to.
    organisation_id TEXT NOT NULL,
    -- Whose calendar it is; google so far.
    provider TEXT NOT NULL,
    -- Names the integration by itself, in the form of a UUID.
    id TEXT NOT NULL DEFAULT
        (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-a' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
    -- The sub of the Google account; kept after a disconnect, so that the same account finds its events again.
    google_user_id TEXT,
    -- The address of the Google account, as the settings page shows it; erased at a disconnect.
    google_email TEXT,
    -- The access token, sealed; erased at a disconnect.
    access_token BLOB,
    -- The refresh token, sealed; erased at a disconnect. Connected means that it is there and disconnecting_at is not.
    refresh_token BLOB,
    -- When the access token expires.
    token_expiry BIGINT,
    -- The scopes that the account granted, divided by blanks; erased at a disconnect.
    granted_scopes TEXT NOT NULL DEFAULT '',
    -- The target calendar, never by the alias primary; kept after a disconnect.
    calendar_id TEXT,
    -- The name of the target calendar when it was chosen.
    calendar_name TEXT NOT NULL DEFAULT '',
    -- The IANA zone of the target calendar; empty if unknown.
    calendar_time_zone TEXT NOT NULL DEFAULT '',
    -- The colour of the target calendar as #rrggbb; empty if unknown.
    calendar_color TEXT NOT NULL DEFAULT '',
    -- Whether the target calendar is the primary one of the account.
    calendar_is_primary BOOLEAN NOT NULL DEFAULT FALSE,
    -- Whether appointments are sent.
    is_enabled BOOLEAN NOT NULL DEFAULT TRUE,
    -- How much of the patient's name a title shows: full, initials or masked.
    title_privacy TEXT NOT NULL DEFAULT 'full',
    -- What is wrong with the whole integration, in the words of error_reason.proto; NULL if nothing is.
    problem_reason TEXT,
    -- Since when that is wrong.
    problem_since BIGINT,
    -- When the service tries again by itself; NULL with a problem: a person has to act first.
    problem_retry_at BIGINT,
    -- When an appointment was last brought in step.
    last_sync_at BIGINT,
    -- When the account was connected; erased at a disconnect.
    connected_at BIGINT,
    -- How many links the latest catch-up queued.
    catch_up_total INTEGER,
    -- When the latest catch-up began.
    catch_up_started_at BIGINT,
    -- Since when a disconnect is under way.
    disconnecting_at BIGINT,
    -- Grows at each connect and disconnect: what began in an earlier epoch may no longer write.
    epoch BIGINT NOT NULL DEFAULT 0,
    -- When the row was made.
    created_at BIGINT NOT NULL,
    -- When the row was last changed.
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, provider)
);

-- What is known of an appointment and its event. The row is the queue: one row an appointment, no job table.
CREATE TABLE appointment_external_links (
    -- The organisation of Cassius that the appointment belongs to.
    organisation_id TEXT NOT NULL,
    -- The appointment of Cassius, within its organisation.
    appointment_id TEXT NOT NULL,
    -- Whose calendar it is; google so far.
    provider TEXT NOT NULL,
    -- The highest revision of the appointment that was accepted.
    revision BIGINT NOT NULL,
    -- The appointment at that revision, sealed; erased once it is over.
    snapshot BLOB,
    -- When the appointment begins; NULL for a cancelled one that never said.
    starts_at BIGINT,
    -- When the appointment ends; NULL for a cancelled one that never said.
    ends_at BIGINT,
    -- How it stands: none, pending, synced or error.
    sync_status TEXT NOT NULL,
    -- The revision that Google shows; 0 if none.
    synced_revision BIGINT NOT NULL DEFAULT 0,
    -- The calendar that the event stands in, or is on its way to; NULL without an event.
    external_calendar_id TEXT,
    -- The event; stored before the first call, NULL without an event.
    external_event_id TEXT,
    -- Which event of the appointment this is; without an event, which one the next will be.
    generation INTEGER NOT NULL DEFAULT 1,
    -- The calendar that the event leaves, while a move is under way.
    moving_from_calendar_id TEXT,
    -- The state of the event that Google confirmed last; NULL before the first answer.
    etag TEXT,
    -- A keyed digest of the content that Google confirmed last; NULL while a call that changes it is unanswered.
    content_hash BLOB,
    -- The page of the event at Google.
    html_link TEXT,
    -- When it was last brought in step.
    last_synced_at BIGINT,
    -- When it is due; NULL if nothing is to be sent.
    next_attempt_at BIGINT,
    -- How many attempts have failed in a row.
    attempts INTEGER NOT NULL DEFAULT 0,
    -- Who asked for the latest attempt: 0 a live edit, 1 a catch-up, which goes second.
    lane SMALLINT NOT NULL DEFAULT 0,
    -- Grows with each request to send: an attempt settles only the requests that it has seen.
    demand BIGINT NOT NULL DEFAULT 1,
    -- Proves which worker holds the row, in the form of a UUID; NULL if none does.
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
    PRIMARY KEY (organisation_id, appointment_id, provider)
);

-- Round-trips to the provider's consent page that are under way.
CREATE TABLE oauth_consents (
    -- The organisation that wants to connect.
    organisation_id TEXT NOT NULL,
    -- The SHA-256 of the one-time ticket that the browser carries.
    ticket_hash BLOB NOT NULL,
    -- The SHA-256 of the state that Google hands back; NULL until the browser has set out.
    state_hash BLOB,
    -- The PKCE verifier, sealed; NULL until the browser has set out.
    pkce_verifier BLOB,
    -- What the id token has to repeat; NULL until the browser has set out.
    nonce TEXT,
    -- Where the browser goes afterwards; NULL for a page of our own.
    return_url TEXT,
    -- When the consent lapses.
    expires_at BIGINT NOT NULL,
    -- When the row was made.
    created_at BIGINT NOT NULL,
    PRIMARY KEY (ticket_hash)
);

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
