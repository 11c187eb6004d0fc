ALTER TABLE appointment_external_links ADD COLUMN
    moving_from_event_id /* The event that stands in the calendar which it leaves, while it is copied under another id; NULL where the id is the same. */ TEXT;
