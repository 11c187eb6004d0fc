-- What is wanted of every link of an organisation and was not applied to all of them yet: a change that concerns them all is
-- applied in parts, by their keys.
CREATE TABLE link_wishes (
    -- The organisation of Cassius whose links these are.
    organisation_id TEXT NOT NULL,
    -- Whose calendar it is; google so far.
    provider TEXT NOT NULL,
    -- What is wanted: retell (upcoming events are written anew), retell_all (those that are over too), catch_up (what was never sent or was refused is sent), retry (what was refused is sent) or disconnect (what is to be deleted is owed, and the rest rests).
    wish TEXT NOT NULL,
    -- The links from this appointment on, by their ids, are still to be reached.
    from_appointment_id TEXT NOT NULL,
    -- Whether it was wished again meanwhile: all links are gone through once more.
    is_again BOOLEAN NOT NULL DEFAULT FALSE,
    -- How many links it will make pending, or take over, as counted when it was wished, less those that it has; NULL if they were not counted.
    unreached BIGINT,
    PRIMARY KEY (organisation_id, provider, wish)
);
