ALTER TABLE appointment_external_links ADD COLUMN traceparent TEXT;
COMMENT ON COLUMN appointment_external_links.traceparent IS
    'The trace of whoever asked for it to be sent (W3C Trace Context); NULL: none is collected, or it was sent.';
