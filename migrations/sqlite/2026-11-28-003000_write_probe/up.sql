-- Written to from time to time, so that a database that only reads is noticed. One row.
CREATE TABLE write_probes (
    -- Always 1.
    id INTEGER NOT NULL PRIMARY KEY,
    -- When it was last written to.
    written_at BIGINT NOT NULL
);
INSERT INTO write_probes (id, written_at) VALUES (1, 0);
