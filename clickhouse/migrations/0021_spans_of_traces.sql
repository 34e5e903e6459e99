-- danger: drops the spans, all of which 0020 has put aside; at once.
DROP TABLE IF EXISTS spyglass.spans SYNC;

-- Identity is as before: a span that comes again replaces itself, now also under another agent or of another kind.
CREATE TABLE IF NOT EXISTS spyglass.spans AS spyglass.spans_aside
ENGINE = ReplacingMergeTree
PARTITION BY toMonday(timestamp)
PRIMARY KEY (organization, project, toStartOfHour(timestamp), trace_id)
ORDER BY (organization, project, toStartOfHour(timestamp), trace_id, span_id, timestamp)
TTL toDateTime(ingested_at) + INTERVAL 90 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, default_compression_codec = 'ZSTD(1)';
