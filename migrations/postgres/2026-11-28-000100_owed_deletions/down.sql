DROP INDEX calendar_integrations_disconnecting;
ALTER TABLE calendar_integrations DROP COLUMN finishing_until;
ALTER TABLE calendar_integrations DROP COLUMN disconnect_total;
ALTER TABLE calendar_integrations DROP COLUMN disconnect_remote_events;
DROP TABLE owed_deletions;
