-- Which prices a cost was computed with. Every change of prices opens a new version of the price book; so does a
-- restatement, which computes calls of closed days again. Version 0 is everything before the first.

CREATE TABLE IF NOT EXISTS spyglass.price_book_versions
(
    version UInt32,
    at DateTime64(6, 'UTC') DEFAULT now64(6) COMMENT 'when it was opened',
    who LowCardinality(String) COMMENT 'user of the operating system',
    why LowCardinality(String) COMMENT 'prices, restatement',
    first_day Nullable(Date) COMMENT 'of a restatement: the days that it covers',
    last_day Nullable(Date) COMMENT 'inclusive',
    organization String COMMENT 'of a restatement: only this one; empty: all',
    project String COMMENT 'of a restatement: only this one; empty: all',
    model String COMMENT 'of a restatement: only this one; empty: all',
    finished Bool COMMENT 'false: a restatement that has not come to its end; the same command goes on with it',
    changed_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(changed_at)
ORDER BY (version, at);

ALTER TABLE spyglass.price_changes
    ADD COLUMN IF NOT EXISTS price_book_version UInt32 COMMENT 'the first that has this change';

ALTER TABLE spyglass.llm_calls
    ADD COLUMN IF NOT EXISTS price_book_version UInt32 COMMENT 'the newest when the cost was computed' AFTER cost_source;

-- A call as it was before a restatement changed its cost, for ever: one row for each version that its cost had.
CREATE TABLE IF NOT EXISTS spyglass.llm_call_restatements
(
    organization LowCardinality(String),
    project LowCardinality(String),
    agent LowCardinality(String),
    kind LowCardinality(String),
    provider LowCardinality(String),
    model LowCardinality(String),
    service_tier LowCardinality(String),
    started_at DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    input_tokens Nullable(UInt64) CODEC(T64, ZSTD(1)),
    output_tokens Nullable(UInt64) CODEC(T64, ZSTD(1)),
    cost_nano_usd Nullable(Int64) COMMENT 'as it was; NULL: it had no price' CODEC(T64, ZSTD(1)),
    price_book_version UInt32 COMMENT 'that this cost was computed with',
    restated_cost_nano_usd Nullable(Int64) COMMENT 'as it became' CODEC(T64, ZSTD(1)),
    restated_version UInt32 COMMENT 'of the price book',
    restated_at DateTime64(6, 'UTC') DEFAULT now64(6) CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(restated_at)
PARTITION BY toYYYYMM(started_at)
ORDER BY (organization, project, model, toStartOfHour(started_at), started_at, trace_id, span_id, price_book_version);
