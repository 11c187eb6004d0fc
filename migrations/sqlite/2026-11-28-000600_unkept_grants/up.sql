-- Grants of Google accounts that nobody keeps: each waits to be revoked, for a day at most.
CREATE TABLE unkept_grants (
    -- The refresh token, or the access token where there is no other, sealed as the refresh token of the integration.
    token BLOB NOT NULL PRIMARY KEY,
    -- The organisation of Cassius that it was given to.
    organisation_id TEXT NOT NULL,
    -- The sub of the Google account.
    google_user_id TEXT NOT NULL,
    -- When it is to be revoked.
    next_attempt_at BIGINT NOT NULL,
    -- How many attempts have failed.
    attempts INTEGER NOT NULL DEFAULT 0,
    -- When the row was made: a day later it is given up.
    created_at BIGINT NOT NULL
);

-- What is to be revoked first.
CREATE INDEX unkept_grants_due ON unkept_grants (next_attempt_at);

ALTER TABLE calendar_integrations ADD COLUMN
    grant_end /* What became of the grant at the latest disconnect: revoked, shared, pending or refused; NULL since the next connect. */ TEXT;
