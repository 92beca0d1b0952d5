-- Objects that rest at a provider: whose they are, and which target holds them. Their content is
-- not here.
CREATE TABLE objects (
    team     TEXT    NOT NULL,               -- who owns it; nobody else finds the row
    kind     TEXT    NOT NULL,               -- response, conversation, file, batch
    id       TEXT    NOT NULL,               -- as its provider named it
    made_by  TEXT    NOT NULL,               -- name of the key
    provider TEXT    NOT NULL,               -- as it is called in the configuration
    model    TEXT,                           -- as it is called at the provider
    created  BIGINT   NOT NULL,              -- Unix seconds
    expires  BIGINT,                         -- Unix seconds
    PRIMARY KEY (team, kind, id)
);

CREATE INDEX objects_by_age ON objects (team, kind, created);
CREATE INDEX objects_by_expiry ON objects (expires) WHERE expires IS NOT NULL;
