-- What 0024 kept in a row for each id takes 37 bytes of a span, and finding a trace by it reads all days that are kept. A
-- row for each trace with the hashes of its ids takes 5, and is found by its time first.
CREATE TABLE IF NOT EXISTS spyglass.join_ids
(
    seeks Bool COMMENT 'a span that looks for a parent; else what may be one',
    since DateTime64(9, 'UTC') COMMENT 'of the span; else of the first in the trace that has an id' CODEC(Delta(8), ZSTD(1)),
    until DateTime64(9, 'UTC') COMMENT 'the same as since; else the end of the last' CODEC(Delta(8), ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    near Array(UInt32) COMMENT 'hashes of ids that join what is at work at the same time' CODEC(ZSTD(1)),
    far Array(UInt32) COMMENT 'of those that join within a day' CODEC(ZSTD(1)),
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1)),
    INDEX ends until TYPE minmax GRANULARITY 1,
    INDEX far far TYPE bloom_filter(0.0001) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toDate(ingested_at)
ORDER BY (seeks, since, trace_id)
TTL toDateTime(ingested_at) + INTERVAL 4 DAY
SETTINGS index_granularity = 256, ttl_only_drop_parts = 1, fsync_after_insert = 0, fsync_part_directory = 0;

-- danger: reads the keys of the last four days, a second for each million; where a crash repeats it, the rows replace each other.
INSERT INTO spyglass.join_ids (seeks, since, until, trace_id, near, far)
SELECT
    seeks, min(k.since) AS first, max(k.until) AS last, trace_id,
    groupUniqArrayIf(toUInt32(key), seeks OR k.until < k.since + INTERVAL 12 HOUR),
    groupUniqArrayIf(toUInt32(key), seeks OR k.until >= k.since + INTERVAL 12 HOUR)
FROM spyglass.join_keys AS k
GROUP BY seeks, trace_id, if(seeks, since, toDateTime64(0, 9, 'UTC'));
