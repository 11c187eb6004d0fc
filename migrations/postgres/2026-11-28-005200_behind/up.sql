ALTER TABLE calendar_integrations ADD COLUMN behind_count INTEGER NOT NULL DEFAULT 0;
COMMENT ON COLUMN calendar_integrations.behind_count IS
    'How many events at the provider show a higher revision than is held, at the latest comparison: the database was restored from an older backup.';
