-- The ledger: one row for each call that left for a provider, and for each that was refused to a
-- known caller. Neither content nor secrets. Booked once, by its id.
CREATE TABLE calls (
    day BIGINT NOT NULL,                        -- yyyymmdd of UTC
    id BLOB NOT NULL,                           -- sorts by when the call came
    request_id TEXT NOT NULL,                   -- the caller may have chosen it
    team TEXT,
    key TEXT,                                   -- its name
    provider TEXT,                              -- as it is called in the configuration
    model TEXT,                                 -- as it is called there
    entry TEXT NOT NULL,                        -- the whole, as JSON
    PRIMARY KEY (day, id)
) WITHOUT ROWID;

CREATE INDEX calls_by_request ON calls (request_id);

-- The same, added up: what is asked for usage reads nothing else.
CREATE TABLE usage_hours (
    hour BIGINT NOT NULL,                       -- Unix hours
    team TEXT NOT NULL,                         -- empty where there is none, as all names
    key TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    calls BIGINT NOT NULL,                      -- those that were answered
    refused BIGINT NOT NULL,                    -- that never left for a provider
    failed BIGINT NOT NULL,
    left_early BIGINT NOT NULL,
    estimated BIGINT NOT NULL,
    unpriced BIGINT NOT NULL,                   -- that cost what nobody knows
    input BIGINT NOT NULL,
    cache_read_input BIGINT NOT NULL,
    cache_write_input BIGINT NOT NULL,
    cache_write_1h_input BIGINT NOT NULL,
    audio_input BIGINT NOT NULL,
    image_input BIGINT NOT NULL,
    output BIGINT NOT NULL,
    reasoning_output BIGINT NOT NULL,
    audio_output BIGINT NOT NULL,
    image_output BIGINT NOT NULL,
    search_units BIGINT NOT NULL,
    input_audio_ms BIGINT NOT NULL,
    input_characters BIGINT NOT NULL,
    output_images BIGINT NOT NULL,
    cost_micro_usd BIGINT NOT NULL,
    PRIMARY KEY (hour, team, key, provider, model)
) WITHOUT ROWID;

-- The same, added up: what is asked for usage reads nothing else.
CREATE TABLE usage_days (
    day BIGINT NOT NULL,                        -- Unix days, of UTC
    team TEXT NOT NULL,                         -- empty where there is none, as all names
    key TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    calls BIGINT NOT NULL,                      -- those that were answered
    refused BIGINT NOT NULL,                    -- that never left for a provider
    failed BIGINT NOT NULL,
    left_early BIGINT NOT NULL,
    estimated BIGINT NOT NULL,
    unpriced BIGINT NOT NULL,                   -- that cost what nobody knows
    input BIGINT NOT NULL,
    cache_read_input BIGINT NOT NULL,
    cache_write_input BIGINT NOT NULL,
    cache_write_1h_input BIGINT NOT NULL,
    audio_input BIGINT NOT NULL,
    image_input BIGINT NOT NULL,
    output BIGINT NOT NULL,
    reasoning_output BIGINT NOT NULL,
    audio_output BIGINT NOT NULL,
    image_output BIGINT NOT NULL,
    search_units BIGINT NOT NULL,
    input_audio_ms BIGINT NOT NULL,
    input_characters BIGINT NOT NULL,
    output_images BIGINT NOT NULL,
    cost_micro_usd BIGINT NOT NULL,
    PRIMARY KEY (day, team, key, provider, model)
) WITHOUT ROWID;
