ALTER TABLE calendar_integrations ADD COLUMN refreshed_at /* When the access token was last refreshed; NULL while it is the one of the consent. */ BIGINT;
ALTER TABLE calendar_integrations ADD COLUMN refresh_lease_token /* Names the one who refreshes the access token; NULL if nobody does. */ TEXT;
ALTER TABLE calendar_integrations ADD COLUMN refresh_lease_until /* When that right lapses. */ BIGINT;
ALTER TABLE oauth_consents ADD COLUMN epoch /* The epoch that the consent began in: after a disconnect its grant is not stored. */ BIGINT NOT NULL DEFAULT 0;

-- A Google account that grants were stored of or revoked of: storing and revoking take their turns at its row.
CREATE TABLE google_accounts (
    -- The sub of the Google account.
    google_user_id TEXT NOT NULL PRIMARY KEY,
    -- The number of the last revocation of its grants; 0: none. A grant that was asked for before it is not stored.
    revocation_seq BIGINT NOT NULL DEFAULT 0,
    -- Names the one who revokes its grants; NULL if nobody does.
    revoking_token TEXT,
    -- When that right lapses.
    revoking_until BIGINT,
    -- When the row was last changed.
    updated_at BIGINT NOT NULL
);

-- Numbers the revocations of all accounts. One row.
CREATE TABLE revocation_counter (
    -- Always 1.
    id INTEGER NOT NULL PRIMARY KEY,
    -- The number of the latest revocation.
    last_seq BIGINT NOT NULL
);
INSERT INTO revocation_counter (id, last_seq) VALUES (1, 0);

-- The grant of another account than the connected one, until a person has taken or dropped it.
CREATE TABLE pending_grants (
    -- The organisation of Cassius that it is for.
    organisation_id TEXT NOT NULL,
    -- Whose calendar it is; google so far.
    provider TEXT NOT NULL,
    -- The sub of the Google account.
    google_user_id TEXT NOT NULL,
    -- The address of the Google account, as the settings page shows it.
    google_email TEXT NOT NULL,
    -- The access token, sealed for the integration that it may become a part of.
    access_token BLOB NOT NULL,
    -- The refresh token, sealed for the integration that it may become a part of.
    refresh_token BLOB NOT NULL,
    -- When the access token expires.
    token_expiry BIGINT NOT NULL,
    -- The scopes that the account granted, divided by blanks.
    granted_scopes TEXT NOT NULL,
    -- The calendar that becomes the target, never by the alias primary.
    calendar_id TEXT NOT NULL,
    -- The name of that calendar.
    calendar_name TEXT NOT NULL,
    -- The IANA zone of that calendar; empty if unknown.
    calendar_time_zone TEXT NOT NULL,
    -- The colour of that calendar as #rrggbb; empty if unknown.
    calendar_color TEXT NOT NULL,
    -- Whether that calendar is the primary one of the account.
    calendar_is_primary BOOLEAN NOT NULL,
    -- When it lapses: from then on it is only there to be revoked.
    expires_at BIGINT NOT NULL,
    -- When the row was made.
    created_at BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, provider)
);

-- Whoever revokes asks who else uses the account.
CREATE INDEX calendar_integrations_by_account ON calendar_integrations (google_user_id)
    WHERE google_user_id IS NOT NULL;
