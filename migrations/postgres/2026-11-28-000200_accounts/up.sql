ALTER TABLE calendar_integrations
    ADD COLUMN refreshed_at TIMESTAMPTZ,
    ADD COLUMN refresh_lease_token TEXT,
    ADD COLUMN refresh_lease_until TIMESTAMPTZ;
COMMENT ON COLUMN calendar_integrations.refreshed_at IS
    'When the access token was last refreshed; NULL while it is the one of the consent.';
COMMENT ON COLUMN calendar_integrations.refresh_lease_token IS
    'Names the one who refreshes the access token; NULL if nobody does.';
COMMENT ON COLUMN calendar_integrations.refresh_lease_until IS
    'When that right lapses.';
ALTER TABLE oauth_consents ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;
COMMENT ON COLUMN oauth_consents.epoch IS
    'The epoch that the consent began in: after a disconnect its grant is not stored.';

CREATE TABLE google_accounts (
    google_user_id TEXT NOT NULL PRIMARY KEY,
    revocation_seq BIGINT NOT NULL DEFAULT 0,
    revoking_token TEXT,
    revoking_until TIMESTAMPTZ,
    updated_at TIMESTAMPTZ NOT NULL
);
COMMENT ON TABLE google_accounts IS
    'A Google account that grants were stored of or revoked of: storing and revoking take their turns at its row.';
COMMENT ON COLUMN google_accounts.google_user_id IS
    'The sub of the Google account.';
COMMENT ON COLUMN google_accounts.revocation_seq IS
    'The number of the last revocation of its grants; 0: none. A grant that was asked for before it is not stored.';
COMMENT ON COLUMN google_accounts.revoking_token IS
    'Names the one who revokes its grants; NULL if nobody does.';
COMMENT ON COLUMN google_accounts.revoking_until IS
    'When that right lapses.';
COMMENT ON COLUMN google_accounts.updated_at IS
    'When the row was last changed.';

CREATE TABLE revocation_counter (
    id INTEGER NOT NULL PRIMARY KEY,
    last_seq BIGINT NOT NULL
);
COMMENT ON TABLE revocation_counter IS
    'Numbers the revocations of all accounts. One row.';
COMMENT ON COLUMN revocation_counter.id IS
    'Always 1.';
COMMENT ON COLUMN revocation_counter.last_seq IS
    'The number of the latest revocation.';
INSERT INTO revocation_counter (id, last_seq) VALUES (1, 0);

CREATE TABLE pending_grants (
    organisation_id TEXT COLLATE "C" NOT NULL,
    provider TEXT NOT NULL,
    google_user_id TEXT NOT NULL,
    google_email TEXT NOT NULL,
    access_token BYTEA NOT NULL,
    refresh_token BYTEA NOT NULL,
    token_expiry TIMESTAMPTZ NOT NULL,
    granted_scopes TEXT NOT NULL,
    calendar_id TEXT NOT NULL,
    calendar_name TEXT NOT NULL,
    calendar_time_zone TEXT NOT NULL,
    calendar_color TEXT NOT NULL,
    calendar_is_primary BOOLEAN NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (organisation_id, provider)
);
COMMENT ON TABLE pending_grants IS
    'The grant of another account than the connected one, until a person has taken or dropped it.';
COMMENT ON COLUMN pending_grants.organisation_id IS
    'The organisation of Cassius that it is for.';
COMMENT ON COLUMN pending_grants.provider IS
    'Whose calendar it is; google so far.';
COMMENT ON COLUMN pending_grants.google_user_id IS
    'The sub of the Google account.';
COMMENT ON COLUMN pending_grants.google_email IS
    'The address of the Google account, as the settings page shows it.';
COMMENT ON COLUMN pending_grants.access_token IS
    'The access token, sealed for the integration that it may become a part of.';
COMMENT ON COLUMN pending_grants.refresh_token IS
    'The refresh token, sealed for the integration that it may become a part of.';
COMMENT ON COLUMN pending_grants.token_expiry IS
    'When the access token expires.';
COMMENT ON COLUMN pending_grants.granted_scopes IS
    'The scopes that the account granted, divided by blanks.';
COMMENT ON COLUMN pending_grants.calendar_id IS
    'The calendar that becomes the target, never by the alias primary.';
COMMENT ON COLUMN pending_grants.calendar_name IS
    'The name of that calendar.';
COMMENT ON COLUMN pending_grants.calendar_time_zone IS
    'The IANA zone of that calendar; empty if unknown.';
COMMENT ON COLUMN pending_grants.calendar_color IS
    'The colour of that calendar as #rrggbb; empty if unknown.';
COMMENT ON COLUMN pending_grants.calendar_is_primary IS
    'Whether that calendar is the primary one of the account.';
COMMENT ON COLUMN pending_grants.expires_at IS
    'When it lapses: from then on it is only there to be revoked.';
COMMENT ON COLUMN pending_grants.created_at IS
    'When the row was made.';

-- Whoever revokes asks who else uses the account.
CREATE INDEX calendar_integrations_by_account ON calendar_integrations (google_user_id)
    WHERE google_user_id IS NOT NULL;
