-- What models cost. A row is valid from valid_from until before valid_to, for one name of a provider and a model as
-- spans carry them. Prices are nano-USD per million tokens; request is nano-USD per call.
-- A price may step by time of day (UTC) and by size of the input: step i holds from second steps.daily_from[i] of the
-- day, for calls with more than steps.above[i] input tokens. Steps are sorted by (daily_from, above); most models have
-- the one step (0, 0).

CREATE TABLE IF NOT EXISTS spyglass.model_prices
(
    provider LowCardinality(String) COMMENT 'gen_ai.provider.name',
    model String COMMENT 'name as spans carry it',
    valid_from DateTime('UTC'),
    valid_to DateTime('UTC') COMMENT 'exclusive',
    steps Nested
    (
        daily_from UInt32,
        above UInt64,
        input Int64,
        cache_read Int64,
        cache_write Int64,
        output Int64,
        reasoning Int64
    ),
    request Int64 DEFAULT 0,
    source LowCardinality(String) COMMENT 'genai-prices',
    source_model String COMMENT 'provider/model of the source that this name was matched with',
    source_version LowCardinality(String),
    version UInt64 DEFAULT toUnixTimestamp64Micro(now64(6)) COMMENT 'when this row was written, microseconds',
    is_deleted UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (provider, model, valid_from);

-- Names that no source knows, so that they are not looked up for ever.
CREATE TABLE IF NOT EXISTS spyglass.model_price_misses
(
    provider LowCardinality(String),
    model String,
    source_version LowCardinality(String) COMMENT 'the source that did not know it; a newer one is asked again',
    missed_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree
ORDER BY (provider, model);

-- What the views of the spans look up. A range ends inclusively, hence the second less.
-- It is loaded by SYSTEM RELOAD DICTIONARY after each change and at start: the embedded engine never reloads by time.
CREATE DICTIONARY IF NOT EXISTS spyglass.price
(
    provider String,
    model String,
    valid_from DateTime('UTC'),
    valid_to DateTime('UTC'),
    daily_from Array(UInt32),
    above Array(UInt64),
    input Array(Int64),
    cache_read Array(Int64),
    cache_write Array(Int64),
    output Array(Int64),
    reasoning Array(Int64),
    request Int64
)
PRIMARY KEY provider, model
SOURCE(CLICKHOUSE(QUERY '
    SELECT provider, model, valid_from, valid_to - INTERVAL 1 SECOND AS valid_to,
        steps.daily_from AS daily_from, steps.above AS above, steps.input AS input, steps.cache_read AS cache_read,
        steps.cache_write AS cache_write, steps.output AS output, steps.reasoning AS reasoning, request
    FROM spyglass.model_prices FINAL
'))
LAYOUT(COMPLEX_KEY_RANGE_HASHED(RANGE_LOOKUP_STRATEGY 'max'))
RANGE(MIN valid_from MAX valid_to)
LIFETIME(0);

-- The cost of one call in nano-USD, rounded half up; NULL without a price, without a usage, for what is no model call,
-- and where more was cached than came in. Input includes what was read from and written to the cache, output includes
-- reasoning. Lambdas bind the price and its step once: an alias used twice would be analysed twice, at each insert.
CREATE FUNCTION IF NOT EXISTS spyglass_cost_nano_usd AS
(kind, provider, model, at, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens) ->
    arrayMap(price -> arrayMap(step ->
        if(step = 0 OR kind NOT IN ('llm', 'embedding')
            OR input_tokens < ifNull(cache_read_tokens, 0) + ifNull(cache_write_tokens, 0), NULL,
            toInt64(intDiv(
                toInt128(input_tokens) * price.3[step]
                + toInt128(ifNull(cache_read_tokens, 0)) * (price.4[step] - price.3[step])
                + toInt128(ifNull(cache_write_tokens, 0)) * (price.5[step] - price.3[step])
                + toInt128(if(kind = 'embedding', ifNull(output_tokens, 0), output_tokens)) * price.6[step]
                + toInt128(ifNull(reasoning_tokens, 0)) * (price.7[step] - price.6[step])
                + toInt128(price.8) * 1000000
                + 500000, 1000000))),
        [arrayLastIndex(
            (daily_from, above) -> daily_from <= toUnixTimestamp(at) % 86400
                AND (above = 0 OR above < ifNull(input_tokens, 0)),
            price.1, price.2)])[1],
        [dictGetOrDefault(
            'spyglass.price',
            ('daily_from', 'above', 'input', 'cache_read', 'cache_write', 'output', 'reasoning', 'request'),
            (toString(provider), toString(model)),
            toDateTime(at),
            (
                []::Array(UInt32), []::Array(UInt64), []::Array(Int64), []::Array(Int64),
                []::Array(Int64), []::Array(Int64), []::Array(Int64), 0::Int64
            )
        )])[1];
