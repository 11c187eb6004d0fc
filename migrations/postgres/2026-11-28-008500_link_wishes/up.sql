-- A change that concerns every link of an organisation is applied in parts, by their keys; whoever applies one holds the row
-- of link_queues first.
CREATE TABLE link_wishes (
    organisation_id TEXT COLLATE "C" NOT NULL,
    provider TEXT NOT NULL,
    wish TEXT NOT NULL,
    from_appointment_id TEXT COLLATE "C" NOT NULL,
    is_again BOOLEAN NOT NULL DEFAULT FALSE,
    unreached BIGINT,
    PRIMARY KEY (organisation_id, provider, wish)
);
COMMENT ON TABLE link_wishes IS
    'What is wanted of every link of an organisation and was not applied to all of them yet.';
COMMENT ON COLUMN link_wishes.organisation_id IS
    'The organisation of Cassius whose links these are.';
COMMENT ON COLUMN link_wishes.provider IS
    'Whose calendar it is; google so far.';
COMMENT ON COLUMN link_wishes.wish IS
    'What is wanted: retell (upcoming events are written anew), retell_all (those that are over too), catch_up (what was never sent or was refused is sent), retry (what was refused is sent) or disconnect (what is to be deleted is owed, and the rest rests).';
COMMENT ON COLUMN link_wishes.from_appointment_id IS
    'The links from this appointment on, by their ids, are still to be reached.';
COMMENT ON COLUMN link_wishes.is_again IS
    'Whether it was wished again meanwhile: all links are gone through once more.';
COMMENT ON COLUMN link_wishes.unreached IS
    'How many links it will make pending, or take over, as counted when it was wished, less those that it has; NULL if they were not counted.';

-- A status tells of them.
CREATE TRIGGER notify_changed AFTER INSERT OR UPDATE OR DELETE ON link_wishes FOR EACH ROW
    EXECUTE FUNCTION notify_change('links');
