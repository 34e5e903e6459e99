-- Spans that lost their parent: what they may be found by, and what was found.

ALTER TABLE spyglass.spans
    ADD COLUMN IF NOT EXISTS message_id String DEFAULT attributes['messaging.message.id']
        COMMENT 'that was sent or received' CODEC(ZSTD(1));

-- By what a span that has no parent in its trace may find one, and by what such spans may be found: one row for each id,
-- written by the finaliser. It only says which traces to look at together; the rule is applied to their spans. Spans of
-- both sides come within the days that it is kept, and joined_traces keeps what was found.
CREATE TABLE IF NOT EXISTS spyglass.join_keys
(
    seeks Bool COMMENT 'looks for a parent; else may be one',
    key UInt64 COMMENT 'hash of the rule, the id and whose it is' CODEC(ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    since DateTime64(9, 'UTC') COMMENT 'what it is joined with starts from here' CODEC(ZSTD(1)),
    until DateTime64(9, 'UTC') COMMENT 'until here' CODEC(ZSTD(1)),
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toDate(ingested_at)
ORDER BY (seeks, key, trace_id)
TTL toDateTime(ingested_at) + INTERVAL 4 DAY
SETTINGS index_granularity = 512, ttl_only_drop_parts = 1, fsync_after_insert = 0, fsync_part_directory = 0;

-- Traces of which one has a span that may belong below one of the other: each is made again with the other.
CREATE TABLE IF NOT EXISTS spyglass.joined_traces
(
    trace_id String CODEC(ZSTD(1)),
    other String CODEC(ZSTD(1)),
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(ingested_at)
ORDER BY (trace_id, other)
TTL toDateTime(ingested_at) + INTERVAL 400 DAY
SETTINGS index_granularity = 1024, ttl_only_drop_parts = 1, fsync_after_insert = 0, fsync_part_directory = 0;

ALTER TABLE spyglass.fact_agent_executions
    ADD COLUMN IF NOT EXISTS parent_trace_id String COMMENT 'of the caller, where that is another trace' CODEC(ZSTD(1)) AFTER parent_execution_id,
    ADD COLUMN IF NOT EXISTS inferred_from LowCardinality(String)
        COMMENT 'by what the caller was found; empty: its spans say it, or none' AFTER parent_agent;
ALTER TABLE spyglass.llm_calls
    ADD COLUMN IF NOT EXISTS execution_trace_id String COMMENT 'of the execution, where that is another trace' CODEC(ZSTD(1)) AFTER execution_id,
    ADD COLUMN IF NOT EXISTS inferred_from LowCardinality(String)
        COMMENT 'by what the execution was found; empty: the spans say it, or none' AFTER execution_trace_id;
ALTER TABLE spyglass.trace_minutes
    ADD COLUMN IF NOT EXISTS inferred_from LowCardinality(String)
        COMMENT 'by what the agent (of an agent: its caller) was found' AFTER peer;
ALTER TABLE spyglass.rollup_edges_minute
    ADD COLUMN IF NOT EXISTS inferred_calls UInt64 COMMENT 'of which the caller was found by an id' CODEC(T64, ZSTD(1)) AFTER calls;
ALTER TABLE spyglass.rollup_edges_hour
    ADD COLUMN IF NOT EXISTS inferred_calls UInt64 COMMENT 'of which the caller was found by an id' CODEC(T64, ZSTD(1)) AFTER calls;

-- As in 0012, with what was inferred.
DROP VIEW IF EXISTS spyglass.rollup_edges;
CREATE VIEW IF NOT EXISTS spyglass.rollup_edges AS
SELECT * FROM spyglass.rollup_edges_hour FINAL
WHERE time < (SELECT max(closed_until) FROM spyglass.closed_hours)
UNION ALL
SELECT * REPLACE (toStartOfHour(time) AS time) FROM spyglass.rollup_edges_minute FINAL
WHERE rollup_edges_minute.time >= (SELECT max(closed_until) FROM spyglass.closed_hours);

DROP VIEW IF EXISTS spyglass.agent_edges;
CREATE VIEW IF NOT EXISTS spyglass.agent_edges AS
SELECT
    organization, project, minute, trace_id, if(kind IN ('agent', 'handoff'), peer, agent) AS caller,
    multiIf(kind IN ('llm', 'embedding'), 'model', kind) AS callee_kind,
    multiIf(kind = 'tool', tool, callee_kind = 'model', model, agent) AS callee, max(demo) AS demo,
    sum(m.calls) AS calls, sumIf(m.calls, inferred_from != '') AS inferred_calls,
    sumIf(m.calls, status = 'error') AS errors, sum(arraySum(durations_ns)) AS duration_ns,
    max(arrayMax(durations_ns)) AS longest_ns, sum(m.input_tokens) AS input_tokens,
    sum(m.output_tokens) AS output_tokens, sum(m.cost_nano_usd) AS cost_nano_usd
FROM spyglass.trace_minutes AS m FINAL
WHERE kind IN ('agent', 'handoff', 'tool', 'llm', 'embedding') AND caller != '' AND callee != ''
GROUP BY organization, project, minute, trace_id, caller, callee_kind, callee;
