DROP INDEX appointment_external_links_leased;
CREATE INDEX appointment_external_links_leased
    ON appointment_external_links (organisation_id, lease_until)
    WHERE lease_until IS NOT NULL;

DROP INDEX appointment_external_links_by_status;
CREATE INDEX appointment_external_links_by_status
    ON appointment_external_links (organisation_id, provider, sync_status, appointment_id, priority);
