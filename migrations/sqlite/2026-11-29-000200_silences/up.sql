-- The spans in which no process wrote to this database, as far as it knows: between the last probe of one that ended, or of
-- a backup, and the start of the next. Whatever was written at Google within one was written by a state that was lost.
CREATE TABLE silences (
    -- When the last process before had written last.
    began_at BIGINT NOT NULL PRIMARY KEY,
    -- When the next one started.
    ended_at BIGINT NOT NULL
);

ALTER TABLE calendar_integrations ADD COLUMN
    replaced_at /* When everything of the organisation was last replaced by what Cassius has: of a silence before, nothing is lacking any more. NULL if it never was. */ BIGINT;
