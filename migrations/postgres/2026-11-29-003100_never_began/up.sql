ALTER TABLE calendar_integrations ADD COLUMN never_began BOOLEAN NOT NULL DEFAULT FALSE;
COMMENT ON COLUMN calendar_integrations.never_began IS
    'Whether nothing but settings were chosen for the organisation so far: it has never begun to connect.';
