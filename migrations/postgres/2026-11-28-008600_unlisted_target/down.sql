ALTER TABLE calendar_integrations DROP COLUMN unlisted_since;
