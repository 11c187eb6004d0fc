ALTER TABLE appointment_external_links DROP COLUMN traceparent;
