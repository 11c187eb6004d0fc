DROP INDEX appointment_external_links_erasing;
DROP TABLE sealed_calendars;
ALTER TABLE appointment_external_links DROP COLUMN erasing_at;
ALTER TABLE appointment_external_links DROP COLUMN accepted_at;
ALTER TABLE calendar_integrations DROP COLUMN erasing_at;
ALTER TABLE calendar_integrations DROP COLUMN disconnected_at;
