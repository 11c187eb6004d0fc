ALTER TABLE oauth_consents ADD COLUMN
    practice /* What a person is shown of whom the consent is for; NULL: nobody is asked before a grant is kept. */ TEXT;
ALTER TABLE oauth_consents ADD COLUMN
    google_user_id /* The sub of the Google account whose grant waits for a word of the person in front of the browser; NULL: none does. */ TEXT;
ALTER TABLE oauth_consents ADD COLUMN
    refresh_token /* The refresh token of that grant, sealed as the one of the integration. */ BLOB;
ALTER TABLE oauth_consents ADD COLUMN
    granted /* What else was granted: access token, scopes, address and calendar, sealed. */ BLOB;
