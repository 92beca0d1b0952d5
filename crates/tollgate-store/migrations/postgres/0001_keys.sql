-- Keys that callers show. The key itself is never stored: only a digest of it, keyed with the pepper.
CREATE TABLE keys (
    rowid       BIGINT  GENERATED ALWAYS AS IDENTITY,  -- the order of their making; SQLite has it of itself
    id          TEXT    PRIMARY KEY,
    name        TEXT    NOT NULL,
    team        TEXT    NOT NULL,
    digest      BYTEA   NOT NULL UNIQUE CHECK (length(digest) = 32),
    fingerprint TEXT    NOT NULL,
    created     BIGINT  NOT NULL,            -- Unix seconds
    revoked     BIGINT                       -- Unix seconds
);

-- A name may be given again once its key is revoked.
CREATE UNIQUE INDEX keys_by_name ON keys (name) WHERE revoked IS NULL;
