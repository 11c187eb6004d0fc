ALTER TABLE calendar_integrations DROP COLUMN grant_end;
DROP TABLE unkept_grants;
