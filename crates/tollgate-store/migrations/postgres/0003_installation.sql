-- What is true of the whole installation, in one row: by which pepper its digests are keyed (a mark
-- of it, which says nothing of the pepper itself).
CREATE TABLE installation (
    one         BIGINT PRIMARY KEY CHECK (one = 1),
    pepper_mark BYTEA NOT NULL CHECK (length(pepper_mark) = 32)
);
