CREATE TABLE audit_events (
    at TIMESTAMPTZ NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    caller TEXT NOT NULL,
    actor TEXT,
    organisation_id TEXT COLLATE "C",
    action TEXT NOT NULL,
    outcome TEXT NOT NULL,
    incident TEXT,
    PRIMARY KEY (at, id)
);
COMMENT ON TABLE audit_events IS
    'Who did what for an organisation, and what came of it. Rows are added and, once they are old, swept; never changed.';
COMMENT ON COLUMN audit_events.at IS
    'When it was answered.';
COMMENT ON COLUMN audit_events.id IS
    'Tells events of one instant apart.';
COMMENT ON COLUMN audit_events.caller IS
    'The name of the API key, or browser for a consent that came back.';
COMMENT ON COLUMN audit_events.actor IS
    'On whose behalf, as the caller said: an id of Cassius; NULL if it did not say.';
COMMENT ON COLUMN audit_events.organisation_id IS
    'The organisation that the call named; NULL if it named none.';
COMMENT ON COLUMN audit_events.action IS
    'The RPC, or CompleteConsent.';
COMMENT ON COLUMN audit_events.outcome IS
    'OK, the reason of the refusal, or how the consent ended.';
COMMENT ON COLUMN audit_events.incident IS
    'The word to look for in the log; NULL unless it ended in a defect.';

-- The pages of one organisation.
CREATE INDEX audit_events_of_organisation ON audit_events (organisation_id, at, id);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an audit event stays as it was written';
END
$$;
CREATE TRIGGER audit_events_stay BEFORE UPDATE ON audit_events FOR EACH ROW EXECUTE FUNCTION refuse_change();
