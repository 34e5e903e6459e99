-- Calls that cost otherwise than the standard: of a service tier (batch, flex, priority, fast), with audio, or writing to
-- a cache that lives for an hour. A step with a tier holds for calls of this tier only; a model without steps of a tier
-- has its standard price there. Steps are sorted by (tier, daily_from, above), so the standard comes first.
-- These columns are added without a rewrite: parts that are there answer with the defaults.
ALTER TABLE spyglass.model_prices
    ADD COLUMN IF NOT EXISTS `steps.tier` Array(LowCardinality(String)) COMMENT 'empty: the standard'
        AFTER `steps.above`,
    ADD COLUMN IF NOT EXISTS `steps.cache_write_1h` Array(Int64) DEFAULT `steps.cache_write` AFTER `steps.reasoning`,
    ADD COLUMN IF NOT EXISTS `steps.audio_input` Array(Int64) DEFAULT `steps.input` AFTER `steps.cache_write_1h`,
    ADD COLUMN IF NOT EXISTS `steps.audio_cache_read` Array(Int64) DEFAULT `steps.cache_read` AFTER `steps.audio_input`,
    ADD COLUMN IF NOT EXISTS `steps.audio_output` Array(Int64) DEFAULT `steps.output` AFTER `steps.audio_cache_read`;

-- What the spans say of it, read from their attributes when they are inserted. No conventions name the cache of an hour.
ALTER TABLE spyglass.spans
    ADD COLUMN IF NOT EXISTS service_tier LowCardinality(String)
        DEFAULT lower(arrayFirst(tier -> tier != '', [
            attributes['gen_ai.response.service_tier'], attributes['openai.response.service_tier'],
            attributes['gen_ai.openai.response.service_tier'], attributes['gen_ai.request.service_tier'],
            attributes['openai.request.service_tier'], attributes['gen_ai.openai.request.service_tier']]))
        COMMENT 'as the provider answered, else as it was asked for' AFTER reasoning_tokens,
    ADD COLUMN IF NOT EXISTS cache_write_1h_tokens Nullable(UInt64)
        DEFAULT toUInt64OrNull(attributes['spyglass.usage.cache_write_1h.input_tokens'])
        COMMENT 'of cache_write_tokens, those kept for an hour' CODEC(T64, ZSTD(1)) AFTER service_tier,
    ADD COLUMN IF NOT EXISTS audio_input_tokens Nullable(UInt64)
        DEFAULT toUInt64OrNull(attributes['gen_ai.usage.audio.input_tokens'])
        COMMENT 'of input_tokens' CODEC(T64, ZSTD(1)) AFTER cache_write_1h_tokens,
    ADD COLUMN IF NOT EXISTS audio_cache_read_tokens Nullable(UInt64)
        DEFAULT toUInt64OrNull(attributes['gen_ai.usage.audio.cache_read.input_tokens'])
        COMMENT 'of cache_read_tokens and of audio_input_tokens' CODEC(T64, ZSTD(1)) AFTER audio_input_tokens,
    ADD COLUMN IF NOT EXISTS audio_output_tokens Nullable(UInt64)
        DEFAULT toUInt64OrNull(attributes['gen_ai.usage.audio.output_tokens'])
        COMMENT 'of output_tokens' CODEC(T64, ZSTD(1)) AFTER audio_cache_read_tokens;

ALTER TABLE spyglass.llm_calls
    ADD COLUMN IF NOT EXISTS service_tier LowCardinality(String) AFTER reasoning_tokens,
    ADD COLUMN IF NOT EXISTS cache_write_1h_tokens Nullable(UInt64) CODEC(T64, ZSTD(1)) AFTER service_tier,
    ADD COLUMN IF NOT EXISTS audio_input_tokens Nullable(UInt64) CODEC(T64, ZSTD(1)) AFTER cache_write_1h_tokens,
    ADD COLUMN IF NOT EXISTS audio_cache_read_tokens Nullable(UInt64) CODEC(T64, ZSTD(1)) AFTER audio_input_tokens,
    ADD COLUMN IF NOT EXISTS audio_output_tokens Nullable(UInt64) CODEC(T64, ZSTD(1)) AFTER audio_cache_read_tokens;

-- Here the steps of tiers come first, hence the rotation: the last step that fits counts, and the view of the spans, which
-- knows no tiers, has to take a standard one.
DROP DICTIONARY IF EXISTS spyglass.price;

CREATE DICTIONARY IF NOT EXISTS spyglass.price
(
    provider String,
    model String,
    valid_from DateTime('UTC'),
    valid_to DateTime('UTC'),
    daily_from Array(UInt32),
    above Array(UInt64),
    tier Array(String),
    input Array(Int64),
    cache_read Array(Int64),
    cache_write Array(Int64),
    output Array(Int64),
    reasoning Array(Int64),
    cache_write_1h Array(Int64),
    audio_input Array(Int64),
    audio_cache_read Array(Int64),
    audio_output Array(Int64),
    request Int64
)
PRIMARY KEY provider, model
SOURCE(CLICKHOUSE(QUERY '
    WITH arrayCount(tier -> tier != \'\', steps.tier) AS tiers
    SELECT provider, model, valid_from, valid_to - INTERVAL 1 SECOND AS valid_to,
        arrayRotateRight(steps.daily_from, tiers) AS daily_from,
        arrayRotateRight(steps.above, tiers) AS above,
        arrayRotateRight(steps.tier, tiers) AS tier,
        arrayRotateRight(steps.input, tiers) AS input,
        arrayRotateRight(steps.cache_read, tiers) AS cache_read,
        arrayRotateRight(steps.cache_write, tiers) AS cache_write,
        arrayRotateRight(steps.output, tiers) AS output,
        arrayRotateRight(steps.reasoning, tiers) AS reasoning,
        arrayRotateRight(steps.cache_write_1h, tiers) AS cache_write_1h,
        arrayRotateRight(steps.audio_input, tiers) AS audio_input,
        arrayRotateRight(steps.audio_cache_read, tiers) AS audio_cache_read,
        arrayRotateRight(steps.audio_output, tiers) AS audio_output,
        request
    FROM spyglass.model_prices FINAL
'))
LAYOUT(COMPLEX_KEY_RANGE_HASHED(RANGE_LOOKUP_STRATEGY 'max'))
RANGE(MIN valid_from MAX valid_to)
LIFETIME(0);

-- The cost of one call in nano-USD, of everything that llm_calls knows of it; else as spyglass_cost_nano_usd, which is
-- the first sight at insert and knows the standard only. NULL too where a part is more than what it is a part of.
-- Each part adds what it costs more (or less) than the tokens it is a part of; audio that came from the cache is in both.
CREATE FUNCTION IF NOT EXISTS spyglass_call_cost_nano_usd AS
(kind, provider, model, service_tier, at, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens,
    reasoning_tokens, cache_write_1h_tokens, audio_input_tokens, audio_cache_read_tokens, audio_output_tokens) ->
    arrayMap(price -> arrayMap(step ->
        if(step = 0 OR kind NOT IN ('llm', 'embedding')
            OR input_tokens + ifNull(audio_cache_read_tokens, 0)
                < ifNull(cache_read_tokens, 0) + ifNull(cache_write_tokens, 0) + ifNull(audio_input_tokens, 0)
            OR ifNull(cache_write_1h_tokens, 0) > ifNull(cache_write_tokens, 0)
            OR ifNull(audio_cache_read_tokens, 0) > least(ifNull(cache_read_tokens, 0), ifNull(audio_input_tokens, 0))
            OR ifNull(audio_output_tokens, 0) > ifNull(output_tokens, 0), NULL,
            toInt64(intDiv(
                toInt128(input_tokens) * price.4[step]
                + toInt128(ifNull(cache_read_tokens, 0)) * (price.5[step] - price.4[step])
                + toInt128(ifNull(cache_write_tokens, 0)) * (price.6[step] - price.4[step])
                + toInt128(if(kind = 'embedding', ifNull(output_tokens, 0), output_tokens)) * price.7[step]
                + toInt128(ifNull(reasoning_tokens, 0)) * (price.8[step] - price.7[step])
                + toInt128(ifNull(cache_write_1h_tokens, 0)) * (price.9[step] - price.6[step])
                + toInt128(ifNull(audio_input_tokens, 0)) * (price.10[step] - price.4[step])
                + toInt128(ifNull(audio_cache_read_tokens, 0))
                    * (price.11[step] - price.10[step] - price.5[step] + price.4[step])
                + toInt128(ifNull(audio_output_tokens, 0)) * (price.12[step] - price.7[step])
                + toInt128(price.13) * 1000000
                + 500000, 1000000))),
        [arrayLastIndex(
            (daily_from, above, tier) -> daily_from <= toUnixTimestamp(at) % 86400
                AND (above = 0 OR above < ifNull(input_tokens, 0))
                AND tier = if(has(price.3, toString(service_tier)), toString(service_tier), ''),
            price.1, price.2, price.3)])[1],
        [dictGetOrDefault(
            'spyglass.price',
            (
                'daily_from', 'above', 'tier', 'input', 'cache_read', 'cache_write', 'output', 'reasoning',
                'cache_write_1h', 'audio_input', 'audio_cache_read', 'audio_output', 'request'
            ),
            (toString(provider), toString(model)),
            toDateTime(at),
            (
                []::Array(UInt32), []::Array(UInt64), []::Array(String), []::Array(Int64), []::Array(Int64),
                []::Array(Int64), []::Array(Int64), []::Array(Int64), []::Array(Int64), []::Array(Int64),
                []::Array(Int64), []::Array(Int64), 0::Int64
            )
        )])[1];
