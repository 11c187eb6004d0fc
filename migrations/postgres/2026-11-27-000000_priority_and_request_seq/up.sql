ALTER TABLE appointment_external_links RENAME COLUMN lane TO priority;
ALTER TABLE appointment_external_links RENAME COLUMN demand TO request_seq;
