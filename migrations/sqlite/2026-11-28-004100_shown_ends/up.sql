ALTER TABLE appointment_external_links ADD COLUMN
    shown_ends_at /* The latest end that the event may still show while synced_revision is behind revision; NULL if no end came before. */ BIGINT;
