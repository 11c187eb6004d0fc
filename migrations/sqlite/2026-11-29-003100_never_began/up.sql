ALTER TABLE calendar_integrations ADD COLUMN
    never_began /* Whether nothing but settings were chosen for the organisation so far: it has never begun to connect. */ BOOLEAN NOT NULL DEFAULT FALSE;
