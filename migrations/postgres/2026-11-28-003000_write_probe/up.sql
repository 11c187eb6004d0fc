CREATE TABLE write_probes (
    id INTEGER NOT NULL PRIMARY KEY,
    written_at TIMESTAMPTZ NOT NULL
);
COMMENT ON TABLE write_probes IS
    'Written to from time to time, so that a database that only reads is noticed. One row.';
COMMENT ON COLUMN write_probes.id IS
    'Always 1.';
COMMENT ON COLUMN write_probes.written_at IS
    'When it was last written to.';
INSERT INTO write_probes (id, written_at) VALUES (1, CURRENT_TIMESTAMP);
