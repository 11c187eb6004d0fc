ALTER TABLE calendar_integrations DROP COLUMN never_began;
