ALTER TABLE appointment_external_links ADD COLUMN
    traceparent /* The trace of whoever asked for it to be sent (W3C Trace Context); NULL: none is collected, or it was sent. */ TEXT;
