-- Who did what for an organisation, and what came of it. Rows are added and, once they are old, swept; never changed.
CREATE TABLE audit_events (
    -- When it was answered.
    at BIGINT NOT NULL,
    -- Tells events of one instant apart.
    id TEXT NOT NULL,
    -- The name of the API key, or browser for a consent that came back.
    caller TEXT NOT NULL,
    -- On whose behalf, as the caller said: an id of Cassius; NULL if it did not say.
    actor TEXT,
    -- The organisation that the call named; NULL if it named none.
    organisation_id TEXT,
    -- The RPC, or CompleteConsent.
    action TEXT NOT NULL,
    -- OK, the reason of the refusal, or how the consent ended.
    outcome TEXT NOT NULL,
    -- The word to look for in the log; NULL unless it ended in a defect.
    incident TEXT,
    PRIMARY KEY (at, id)
);

-- The pages of one organisation.
CREATE INDEX audit_events_of_organisation ON audit_events (organisation_id, at, id);

CREATE TRIGGER audit_events_stay BEFORE UPDATE ON audit_events
BEGIN
    SELECT RAISE(ABORT, 'an audit event stays as it was written');
END;
