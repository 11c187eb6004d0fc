ALTER TABLE calendar_integrations DROP COLUMN replaced_at;
DROP TABLE silences;
