ALTER TABLE appointment_external_links ADD COLUMN
    recent_calls /* The latest calls of Google that were made for it, the newest first, a line each: when in microseconds, for which revision, the method, the meaning of the answer, milliseconds. Cut after some twenty; NULL if none was made. */
    TEXT;

-- Who is told that an integration is broken asks for these alone.
CREATE INDEX calendar_integrations_with_problem ON calendar_integrations (organisation_id) WHERE problem_reason IS NOT NULL;
