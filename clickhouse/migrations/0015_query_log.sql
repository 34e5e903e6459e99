-- Who asked the warehouse what, how long it took and what came of it: one row per statement of the reader and the admin,
-- written by the gateway every few seconds. Which ones are kept is said in warehouse/query_log.py. On a ClickHouse
-- server, which has its own system.query_log, this table stays empty. Only the admin may read it. Kept for
-- SPYGLASS_RETENTION_QUERY_LOG_DAYS.

CREATE TABLE IF NOT EXISTS spyglass.query_log
(
    at DateTime64(3, 'UTC') COMMENT 'when the statement came' CODEC(Delta(8), ZSTD(1)),
    query_id String COMMENT 'as the client chose it, else made by the gateway',
    user LowCardinality(String) COMMENT 'reader, admin, collector',
    kind LowCardinality(String) COMMENT 'SELECT, INSERT, ALTER and so on; OTHER for a word that begins no statement',
    duration_ms Float64 COMMENT 'from the statement to the end of its answer' CODEC(ZSTD(1)),
    read_rows Nullable(UInt64) COMMENT 'rows that the engine read until the end' CODEC(T64, ZSTD(1)),
    read_bytes Nullable(UInt64) CODEC(T64, ZSTD(1)),
    written_rows Nullable(UInt64) COMMENT 'with those that views wrote' CODEC(T64, ZSTD(1)),
    written_bytes Nullable(UInt64) CODEC(T64, ZSTD(1)),
    result_rows Nullable(UInt64) COMMENT 'rows of the answer; unknown where the format has a frame' CODEC(T64, ZSTD(1)),
    answer_bytes UInt64 COMMENT 'bytes of the answer before compression' CODEC(T64, ZSTD(1)),
    error_code Int32 COMMENT 'of ClickHouse; 0 where the statement ended well' CODEC(T64, ZSTD(1)),
    statement String COMMENT 'its first 1,000 characters; of an INSERT without its data' CODEC(ZSTD(1)),
    client LowCardinality(String) COMMENT 'User-Agent of the request',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toMonday(at)
ORDER BY (at, query_id)
TTL toDateTime(ingested_at) + INTERVAL 14 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1;
