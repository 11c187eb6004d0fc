ALTER TABLE appointment_external_links DROP COLUMN shown_ends_at;
