ALTER TABLE calendar_integrations DROP COLUMN behind_count;
