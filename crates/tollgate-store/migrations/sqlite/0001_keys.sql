-- Keys that callers show. The key itself is never stored: only a digest of it, keyed with the pepper.
CREATE TABLE keys (
    id          TEXT    PRIMARY KEY,
    name        TEXT    NOT NULL,
    team        TEXT    NOT NULL,
    digest      BLOB    NOT NULL UNIQUE CHECK (length(digest) = 32),
    fingerprint TEXT    NOT NULL,
    created     INTEGER NOT NULL,            -- Unix seconds
    revoked     INTEGER                      -- Unix seconds
) STRICT;

-- A name may be given again once its key is revoked.
CREATE UNIQUE INDEX keys_by_name ON keys (name) WHERE revoked IS NULL;
