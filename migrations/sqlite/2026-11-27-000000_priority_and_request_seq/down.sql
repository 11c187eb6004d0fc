ALTER TABLE appointment_external_links RENAME COLUMN request_seq TO demand;
ALTER TABLE appointment_external_links RENAME COLUMN priority TO lane;
