-- The ledger: one row for each call that left for a provider, and for each that was refused to a
-- known caller. Neither content nor secrets. Booked once, by its id.
CREATE TABLE calls (
    day BIGINT NOT NULL,                        -- yyyymmdd of UTC
    id BLOB NOT NULL,                           -- sorts by when the call came
    at_us BIGINT NOT NULL,                      -- Unix microseconds
    request_id TEXT NOT NULL,                   -- the caller may have chosen it
    team TEXT,
    key TEXT,                                   -- its name
    operation TEXT NOT NULL,
    stream BIGINT NOT NULL,                     -- 0 or 1, as all that is either
    dialect TEXT,                               -- the caller's
    model_asked TEXT,
    provider TEXT,                              -- as it is called in the configuration
    model TEXT,                                 -- as it is called there
    model_answered TEXT,
    upstream_request_id TEXT,
    attempts BIGINT NOT NULL,
    status BIGINT NOT NULL,                     -- 0: the gateway ended before it could say
    finish TEXT,
    error TEXT,
    limit_name TEXT,
    left_early BIGINT NOT NULL,
    estimated BIGINT NOT NULL,                  -- some of the usage is a guess
    input BIGINT,
    cache_read_input BIGINT,
    cache_write_input BIGINT,
    cache_write_1h_input BIGINT,
    audio_input BIGINT,
    image_input BIGINT,
    output BIGINT,
    reasoning_output BIGINT,
    audio_output BIGINT,
    image_output BIGINT,
    search_units BIGINT,
    input_audio_ms BIGINT,
    input_characters BIGINT,
    output_images BIGINT,
    tier TEXT,
    raw_usage TEXT,                             -- the provider's own object
    cost_micro_usd BIGINT,
    cost_unknown TEXT,                          -- why nobody can say
    first_chunk_us BIGINT,
    overhead_us BIGINT,
    duration_us BIGINT NOT NULL,
    request_bytes BIGINT NOT NULL,
    response_bytes BIGINT NOT NULL,
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
