DROP INDEX calendar_integrations_compare_due;
ALTER TABLE calendar_integrations DROP COLUMN compare_lease_until;
ALTER TABLE calendar_integrations DROP COLUMN compare_lease_token;
ALTER TABLE calendar_integrations DROP COLUMN compare_attempts;
ALTER TABLE calendar_integrations DROP COLUMN compare_due_at;
