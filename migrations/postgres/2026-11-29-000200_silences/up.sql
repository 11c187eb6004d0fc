CREATE TABLE silences (
    began_at TIMESTAMPTZ NOT NULL PRIMARY KEY,
    ended_at TIMESTAMPTZ NOT NULL
);
COMMENT ON TABLE silences IS
    'The spans in which no process wrote to this database, as far as it knows: between the last probe of one that ended, or of a backup, and the start of the next. Whatever was written at Google within one was written by a state that was lost.';
COMMENT ON COLUMN silences.began_at IS
    'When the last process before had written last.';
COMMENT ON COLUMN silences.ended_at IS
    'When the next one started.';

ALTER TABLE calendar_integrations ADD COLUMN replaced_at TIMESTAMPTZ;
COMMENT ON COLUMN calendar_integrations.replaced_at IS
    'When everything of the organisation was last replaced by what Cassius has: of a silence before, nothing is lacking any more. NULL if it never was.';
