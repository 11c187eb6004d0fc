-- What finds a row, and nothing else, whether there are statistics of the table or not: a plan that was made while the table
-- was small is kept until they are made.

-- Counts and pages by status are read from this alone. The status stands first: otherwise this index is as good as the key,
-- and all links of an organisation are read to find one.
DROP INDEX appointment_external_links_by_status;
CREATE INDEX appointment_external_links_by_status
    ON appointment_external_links (sync_status, organisation_id, provider, appointment_id, priority);

-- The few rows that a worker holds. With the provider: otherwise the key is taken for narrower.
DROP INDEX appointment_external_links_leased;
CREATE INDEX appointment_external_links_leased
    ON appointment_external_links (organisation_id, provider, lease_until)
    WHERE lease_until IS NOT NULL;

-- By functions that never change their answer, so that it is put into the statement that calls it, and is no statement of its
-- own in each accept.
CREATE OR REPLACE FUNCTION day_of(ends_at TIMESTAMPTZ) RETURNS INTEGER
LANGUAGE sql IMMUTABLE AS
    'SELECT (ends_at AT TIME ZONE ''UTC'')::date - DATE ''1970-01-01''';
