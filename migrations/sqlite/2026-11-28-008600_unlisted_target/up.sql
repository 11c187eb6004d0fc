ALTER TABLE calendar_integrations ADD COLUMN
    unlisted_since /* Since when the events of the target calendar could not be listed, twice in a row or more, for a reason that may pass; NULL: they could be at the latest comparison, or it met something else. */ BIGINT;
