CREATE TABLE unkept_grants (
    token BYTEA NOT NULL PRIMARY KEY,
    organisation_id TEXT COLLATE "C" NOT NULL,
    google_user_id TEXT NOT NULL,
    next_attempt_at TIMESTAMPTZ NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    created_at TIMESTAMPTZ NOT NULL
);
COMMENT ON TABLE unkept_grants IS
    'Grants of Google accounts that nobody keeps: each waits to be revoked, for a day at most.';
COMMENT ON COLUMN unkept_grants.token IS
    'The refresh token, or the access token where there is no other, sealed as the refresh token of the integration.';
COMMENT ON COLUMN unkept_grants.organisation_id IS
    'The organisation of Cassius that it was given to.';
COMMENT ON COLUMN unkept_grants.google_user_id IS
    'The sub of the Google account.';
COMMENT ON COLUMN unkept_grants.next_attempt_at IS
    'When it is to be revoked.';
COMMENT ON COLUMN unkept_grants.attempts IS
    'How many attempts have failed.';
COMMENT ON COLUMN unkept_grants.created_at IS
    'When the row was made: a day later it is given up.';

-- What is to be revoked first.
CREATE INDEX unkept_grants_due ON unkept_grants (next_attempt_at);

ALTER TABLE calendar_integrations ADD COLUMN grant_end TEXT;
COMMENT ON COLUMN calendar_integrations.grant_end IS
    'What became of the grant at the latest disconnect: revoked, shared, pending or refused; NULL since the next connect.';
