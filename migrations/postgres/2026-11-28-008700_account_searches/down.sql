DROP INDEX calendar_integrations_search_due;
ALTER TABLE appointment_external_links DROP COLUMN is_unsearched;
ALTER TABLE calendar_integrations DROP COLUMN compare_round;
ALTER TABLE calendar_integrations DROP COLUMN last_search;
ALTER TABLE calendar_integrations DROP COLUMN search_attempts;
ALTER TABLE calendar_integrations DROP COLUMN search_asked_at;
ALTER TABLE calendar_integrations DROP COLUMN search_due_at;
