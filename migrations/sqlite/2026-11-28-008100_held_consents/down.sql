DELETE FROM oauth_consents WHERE granted IS NOT NULL;
ALTER TABLE oauth_consents DROP COLUMN practice;
ALTER TABLE oauth_consents DROP COLUMN google_user_id;
ALTER TABLE oauth_consents DROP COLUMN refresh_token;
ALTER TABLE oauth_consents DROP COLUMN granted;
