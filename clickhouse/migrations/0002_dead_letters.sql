-- What could not be stored, with the reason. Identity: the hash of the body, so that a batch that is sent again
-- replaces its dead letters. Two sources:
--   insert  a whole request that the engine refused; body is the request's Native block, as it came
--   row     one row that is out of range (see the views of the next migrations); body is the row as JSON

CREATE TABLE IF NOT EXISTS spyglass.dead_letters
(
    received_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'when it came',
    source LowCardinality(String) COMMENT 'insert or row',
    table_name LowCardinality(String) COMMENT 'landing table that it was meant for',
    column_names String DEFAULT '' COMMENT 'column list of the request; empty for a row',
    reason String COMMENT 'why it was refused',
    error_code Int32 COMMENT 'code of the engine; 0 for a row',
    rows UInt64 COMMENT 'rows in the body; 0 where the body cannot be read so far',
    bytes UInt64 COMMENT 'size of the body',
    body String CODEC(ZSTD(3)),
    body_hash UInt128 DEFAULT reinterpretAsUInt128(sipHash128(body))
)
ENGINE = ReplacingMergeTree
ORDER BY (source, table_name, body_hash)
TTL toDateTime(received_at) + INTERVAL 90 DAY;
