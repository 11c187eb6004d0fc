ALTER TABLE oauth_consents
    ADD COLUMN practice TEXT,
    ADD COLUMN google_user_id TEXT,
    ADD COLUMN refresh_token BYTEA,
    ADD COLUMN granted BYTEA;
COMMENT ON COLUMN oauth_consents.practice IS
    'What a person is shown of whom the consent is for; NULL: nobody is asked before a grant is kept.';
COMMENT ON COLUMN oauth_consents.google_user_id IS
    'The sub of the Google account whose grant waits for a word of the person in front of the browser; NULL: none does.';
COMMENT ON COLUMN oauth_consents.refresh_token IS
    'The refresh token of that grant, sealed as the one of the integration.';
COMMENT ON COLUMN oauth_consents.granted IS
    'What else was granted: access token, scopes, address and calendar, sealed.';
