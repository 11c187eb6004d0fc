DROP INDEX calendar_integrations_by_account;
DROP TABLE pending_grants;
DROP TABLE revocation_counter;
DROP TABLE google_accounts;
ALTER TABLE oauth_consents DROP COLUMN epoch;
ALTER TABLE calendar_integrations DROP COLUMN refresh_lease_until;
ALTER TABLE calendar_integrations DROP COLUMN refresh_lease_token;
ALTER TABLE calendar_integrations DROP COLUMN refreshed_at;
