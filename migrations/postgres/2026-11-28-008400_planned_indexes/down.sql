CREATE OR REPLACE FUNCTION day_of(ends_at TIMESTAMPTZ) RETURNS INTEGER
LANGUAGE sql IMMUTABLE AS
    'SELECT floor(extract(epoch FROM ends_at) / 86400)::integer';

DROP INDEX appointment_external_links_leased;
CREATE INDEX appointment_external_links_leased
    ON appointment_external_links (organisation_id, lease_until)
    WHERE lease_until IS NOT NULL;

DROP INDEX appointment_external_links_by_status;
CREATE INDEX appointment_external_links_by_status
    ON appointment_external_links (organisation_id, provider, sync_status, appointment_id, priority);
