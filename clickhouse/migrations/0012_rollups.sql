-- Executions and calls in the order of time, so that what a trace had contributed is found without looking at the rest
-- of the table, and renamed agents and models keep their rows' keys; minutes of traces, of which all totals are made; and
-- the totals by minute and hour.
-- All of it is made of spans by the finaliser. So nothing here is synced to the disk: after the engine has started, the
-- finaliser does the last ten minutes of its work again.

-- danger: drops three tables that the finaliser writes again from the spans, about a minute for five million spans.
DROP TABLE IF EXISTS spyglass.fact_agent_executions SYNC;
-- danger: as above.
DROP TABLE IF EXISTS spyglass.llm_calls SYNC;
-- danger: as above.
DROP TABLE IF EXISTS spyglass.agent_edges SYNC;

CREATE TABLE IF NOT EXISTS spyglass.fact_agent_executions
(
    organization LowCardinality(String),
    project LowCardinality(String),
    environment LowCardinality(String),
    service LowCardinality(String),
    release LowCardinality(String),
    instance String CODEC(ZSTD(1)),
    host LowCardinality(String),
    demo Bool,
    agent LowCardinality(String),
    agent_id String CODEC(ZSTD(1)),
    agent_version LowCardinality(String),
    dialect LowCardinality(String) COMMENT 'the framework, as far as its spans say',
    started_at DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    ended_at DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    date_key UInt32 MATERIALIZED toYYYYMMDD(started_at),
    hour_key UInt8 MATERIALIZED toHour(started_at),
    duration_ms Float64 MATERIALIZED (toUnixTimestamp64Nano(ended_at) - toUnixTimestamp64Nano(started_at)) / 1e6,
    execution_id String CODEC(ZSTD(1)),
    trace_id String COMMENT 'the run' CODEC(ZSTD(1)),
    parent_execution_id String COMMENT 'of the nearest agent above; empty: none' CODEC(ZSTD(1)),
    parent_agent LowCardinality(String),
    workflow LowCardinality(String) COMMENT 'the flow',
    user_id String CODEC(ZSTD(1)),
    session_id String CODEC(ZSTD(1)),
    conversation_id String CODEC(ZSTD(1)),
    status LowCardinality(String) COMMENT 'ok, error, unset',
    error_type LowCardinality(String),
    spans UInt32 CODEC(T64, ZSTD(1)),
    llm_calls UInt32 CODEC(T64, ZSTD(1)),
    llm_errors UInt32 CODEC(T64, ZSTD(1)),
    tool_calls UInt32 CODEC(T64, ZSTD(1)),
    tool_errors UInt32 CODEC(T64, ZSTD(1)),
    retrievals UInt32 CODEC(T64, ZSTD(1)),
    models Array(LowCardinality(String)),
    llm_ns UInt64 COMMENT 'sum over calls, also where they overlap' CODEC(T64, ZSTD(1)),
    tool_ns UInt64 CODEC(T64, ZSTD(1)),
    queue_wait_seconds Nullable(Float64) CODEC(ZSTD(1)),
    input_tokens Nullable(UInt64) COMMENT 'NULL: no call reported any' CODEC(T64, ZSTD(1)),
    output_tokens Nullable(UInt64) CODEC(T64, ZSTD(1)),
    cache_read_tokens Nullable(UInt64) CODEC(T64, ZSTD(1)),
    cache_write_tokens Nullable(UInt64) CODEC(T64, ZSTD(1)),
    reasoning_tokens Nullable(UInt64) CODEC(T64, ZSTD(1)),
    calls_without_usage UInt32 COMMENT 'answered calls without tokens: the sums lack them' CODEC(T64, ZSTD(1)),
    token_cost_nano_usd Nullable(Int64) COMMENT 'of the priced calls; NULL: none has a price' CODEC(T64, ZSTD(1)),
    unpriced_calls UInt32 COMMENT 'calls with tokens and without a price: the cost lacks them' CODEC(T64, ZSTD(1)),
    reported_cost_nano_usd Nullable(Int64) COMMENT 'as emitters say, never mixed with ours' CODEC(T64, ZSTD(1)),
    cpu_core_seconds Nullable(Float64) COMMENT 'of the agent''s span, else the sum over its spans; NULL: none says' CODEC(ZSTD(1)),
    memory_gb_seconds Nullable(Float64) CODEC(ZSTD(1)),
    gpu_seconds Nullable(Float64) CODEC(ZSTD(1)),
    network_receive_bytes Nullable(UInt64) CODEC(T64, ZSTD(1)),
    network_transmit_bytes Nullable(UInt64) CODEC(T64, ZSTD(1)),
    cpu_cost_nano_usd Nullable(Int64) COMMENT 'NULL: no use is known, or no price' CODEC(T64, ZSTD(1)),
    memory_cost_nano_usd Nullable(Int64) CODEC(T64, ZSTD(1)),
    gpu_cost_nano_usd Nullable(Int64) CODEC(T64, ZSTD(1)),
    total_cost_nano_usd Nullable(Int64)
        ALIAS if(coalesce(token_cost_nano_usd, cpu_cost_nano_usd, memory_cost_nano_usd, gpu_cost_nano_usd) IS NULL, NULL,
            ifNull(token_cost_nano_usd, 0) + ifNull(cpu_cost_nano_usd, 0) + ifNull(memory_cost_nano_usd, 0) + ifNull(gpu_cost_nano_usd, 0))
        COMMENT 'sum of the known parts',
    closed_by LowCardinality(String) COMMENT 'agent: its span came; sweeper: it never did',
    version UInt64 CODEC(Delta(8), ZSTD(1)),
    ingested_at DateTime64(3, 'UTC') MATERIALIZED fromUnixTimestamp64Micro(toInt64(version)) CODEC(Delta(8), ZSTD(1)),
    is_deleted UInt8 DEFAULT 0,
    INDEX execution execution_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(started_at)
PRIMARY KEY (organization, project, toStartOfHour(started_at), trace_id)
ORDER BY (organization, project, toStartOfHour(started_at), trace_id, execution_id)
TTL toDateTime(ingested_at) + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, fsync_after_insert = 0, fsync_part_directory = 0;

CREATE TABLE IF NOT EXISTS spyglass.llm_calls
(
    organization LowCardinality(String),
    project LowCardinality(String),
    environment LowCardinality(String),
    service LowCardinality(String),
    release LowCardinality(String),
    demo Bool,
    agent LowCardinality(String) COMMENT 'of the execution, else as the call says',
    execution_id String COMMENT 'empty: made outside of any agent' CODEC(ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    span_id String COMMENT 'of the span that owns the call' CODEC(ZSTD(1)),
    started_at DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    duration_ns UInt64 CODEC(T64, ZSTD(1)),
    kind LowCardinality(String) COMMENT 'llm, embedding',
    provider LowCardinality(String),
    request_model LowCardinality(String),
    response_model LowCardinality(String),
    model LowCardinality(String) COMMENT 'of the response, else of the request',
    workflow LowCardinality(String),
    user_id String COMMENT 'of the call, else of its execution' CODEC(ZSTD(1)),
    session_id String CODEC(ZSTD(1)),
    conversation_id String CODEC(ZSTD(1)),
    status LowCardinality(String),
    error_type LowCardinality(String),
    finish_reasons Array(LowCardinality(String)),
    stream Bool,
    time_to_first_token_seconds Nullable(Float32) CODEC(ZSTD(1)),
    input_tokens Nullable(UInt64) CODEC(T64, ZSTD(1)),
    output_tokens Nullable(UInt64) CODEC(T64, ZSTD(1)),
    cache_read_tokens Nullable(UInt64) CODEC(T64, ZSTD(1)),
    cache_write_tokens Nullable(UInt64) CODEC(T64, ZSTD(1)),
    reasoning_tokens Nullable(UInt64) CODEC(T64, ZSTD(1)),
    usage_source LowCardinality(String) COMMENT 'reported, estimated, aggregated, missing',
    cost_nano_usd Nullable(Int64) COMMENT 'by the price that holds when the call starts; NULL: unknown' CODEC(T64, ZSTD(1)),
    cost_source LowCardinality(String) COMMENT 'computed, unpriced',
    reported_cost_nano_usd Nullable(Int64) CODEC(T64, ZSTD(1)),
    version UInt64 CODEC(Delta(8), ZSTD(1)),
    ingested_at DateTime64(3, 'UTC') MATERIALIZED fromUnixTimestamp64Micro(toInt64(version)) CODEC(Delta(8), ZSTD(1)),
    is_deleted UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(started_at)
PRIMARY KEY (organization, project, toStartOfHour(started_at), trace_id)
ORDER BY (organization, project, toStartOfHour(started_at), trace_id, span_id)
TTL toDateTime(ingested_at) + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, fsync_after_insert = 0, fsync_part_directory = 0;

-- What a trace did in a minute, by who did what: the one source of all totals. Every span counts once, in the minute in
-- which it began; a hand-over is a row of its own (kind handoff) beside the span that tells of it.
-- Here and in the totals a row has a number instead of a long key: a run writes all rows of what it touches again, and
-- FINAL reads the key.
CREATE TABLE IF NOT EXISTS spyglass.trace_minutes
(
    organization LowCardinality(String),
    project LowCardinality(String),
    minute DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    part UInt32 COMMENT 'number of the row in its minute of the trace' CODEC(T64, ZSTD(1)),
    environment LowCardinality(String),
    service LowCardinality(String),
    release LowCardinality(String),
    demo Bool,
    user_id String CODEC(ZSTD(1)),
    agent LowCardinality(String) COMMENT 'that ran, or in whose execution it was done; of a handoff: that took over',
    kind LowCardinality(String) COMMENT 'of the spans, or handoff',
    peer LowCardinality(String) COMMENT 'of an agent: that called it; of a handoff: that handed over',
    provider LowCardinality(String),
    model LowCardinality(String),
    tool LowCardinality(String),
    status LowCardinality(String),
    error_type LowCardinality(String),
    calls UInt32 CODEC(T64, ZSTD(1)),
    durations_ns Array(UInt64) CODEC(T64, ZSTD(1)),
    queue_waits_seconds Array(Float32) CODEC(ZSTD(1)),
    input_tokens Nullable(UInt64) COMMENT 'of owned model calls, as all tokens and costs here' CODEC(T64, ZSTD(1)),
    output_tokens Nullable(UInt64) CODEC(T64, ZSTD(1)),
    cache_read_tokens Nullable(UInt64) CODEC(T64, ZSTD(1)),
    cache_write_tokens Nullable(UInt64) CODEC(T64, ZSTD(1)),
    reasoning_tokens Nullable(UInt64) CODEC(T64, ZSTD(1)),
    calls_without_usage UInt32 CODEC(T64, ZSTD(1)),
    cost_nano_usd Nullable(Int64) CODEC(T64, ZSTD(1)),
    unpriced_calls UInt32 CODEC(T64, ZSTD(1)),
    unpriced_tokens UInt64 CODEC(T64, ZSTD(1)),
    reported_cost_nano_usd Nullable(Int64) CODEC(T64, ZSTD(1)),
    version UInt64 CODEC(Delta(8), ZSTD(1)),
    ingested_at DateTime64(3, 'UTC') MATERIALIZED fromUnixTimestamp64Micro(toInt64(version)) CODEC(Delta(8), ZSTD(1)),
    is_deleted UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(minute)
ORDER BY (organization, project, minute, trace_id, part)
TTL toDateTime(ingested_at) + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, fsync_after_insert = 0, fsync_part_directory = 0;

-- Totals of agents, models and everything else that spans are, by minute. Only the last two weeks have minutes.
CREATE TABLE IF NOT EXISTS spyglass.rollup_calls_minute
(
    organization LowCardinality(String),
    project LowCardinality(String),
    time DateTime('UTC') COMMENT 'start of the minute or of the hour' CODEC(Delta(4), ZSTD(1)),
    part UInt32 COMMENT 'number of the row in its minute or hour' CODEC(T64, ZSTD(1)),
    agent LowCardinality(String),
    kind LowCardinality(String),
    provider LowCardinality(String),
    model LowCardinality(String),
    status LowCardinality(String),
    error_type LowCardinality(String),
    environment LowCardinality(String),
    service LowCardinality(String),
    release LowCardinality(String),
    demo Bool,
    calls UInt64 CODEC(T64, ZSTD(1)),
    duration_ns UInt64 CODEC(T64, ZSTD(1)),
    longest_ns UInt64 CODEC(T64, ZSTD(1)),
    duration_quantiles AggregateFunction(quantilesBFloat16(0.5, 0.95, 0.99), UInt64) COMMENT 'ns' CODEC(ZSTD(1)),
    queue_wait_quantiles AggregateFunction(quantilesBFloat16(0.5, 0.95, 0.99), Float32) COMMENT 's' CODEC(ZSTD(1)),
    input_tokens Nullable(UInt64) CODEC(T64, ZSTD(1)),
    output_tokens Nullable(UInt64) CODEC(T64, ZSTD(1)),
    cache_read_tokens Nullable(UInt64) CODEC(T64, ZSTD(1)),
    cache_write_tokens Nullable(UInt64) CODEC(T64, ZSTD(1)),
    reasoning_tokens Nullable(UInt64) CODEC(T64, ZSTD(1)),
    calls_without_usage UInt64 CODEC(T64, ZSTD(1)),
    cost_nano_usd Nullable(Int64) CODEC(T64, ZSTD(1)),
    unpriced_calls UInt64 CODEC(T64, ZSTD(1)),
    unpriced_tokens UInt64 CODEC(T64, ZSTD(1)),
    reported_cost_nano_usd Nullable(Int64) CODEC(T64, ZSTD(1)),
    version UInt64 CODEC(Delta(8), ZSTD(1)),
    ingested_at DateTime64(3, 'UTC') MATERIALIZED fromUnixTimestamp64Micro(toInt64(version)) CODEC(Delta(8), ZSTD(1)),
    is_deleted UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toMonday(time)
ORDER BY (organization, project, time, part)
TTL time + INTERVAL 16 DAY
SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 0, fsync_part_directory = 0;

CREATE TABLE IF NOT EXISTS spyglass.rollup_tools_minute
(
    organization LowCardinality(String),
    project LowCardinality(String),
    time DateTime('UTC') COMMENT 'start of the minute or of the hour' CODEC(Delta(4), ZSTD(1)),
    part UInt32 COMMENT 'number of the row in its minute or hour' CODEC(T64, ZSTD(1)),
    tool LowCardinality(String),
    status LowCardinality(String),
    error_type LowCardinality(String),
    demo Bool,
    calls UInt64 CODEC(T64, ZSTD(1)),
    duration_ns UInt64 CODEC(T64, ZSTD(1)),
    longest_ns UInt64 CODEC(T64, ZSTD(1)),
    duration_quantiles AggregateFunction(quantilesBFloat16(0.5, 0.95, 0.99), UInt64) COMMENT 'ns' CODEC(ZSTD(1)),
    version UInt64 CODEC(Delta(8), ZSTD(1)),
    ingested_at DateTime64(3, 'UTC') MATERIALIZED fromUnixTimestamp64Micro(toInt64(version)) CODEC(Delta(8), ZSTD(1)),
    is_deleted UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toMonday(time)
ORDER BY (organization, project, time, part)
TTL time + INTERVAL 16 DAY
SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 0, fsync_part_directory = 0;

CREATE TABLE IF NOT EXISTS spyglass.rollup_users_minute
(
    organization LowCardinality(String),
    project LowCardinality(String),
    time DateTime('UTC') COMMENT 'start of the minute or of the hour' CODEC(Delta(4), ZSTD(1)),
    part UInt32 COMMENT 'number of the row in its minute or hour' CODEC(T64, ZSTD(1)),
    user_id String COMMENT 'empty: unknown' CODEC(ZSTD(1)),
    model LowCardinality(String) COMMENT 'empty: executions of agents, in which the model calls are not counted',
    demo Bool,
    executions UInt64 CODEC(T64, ZSTD(1)),
    calls UInt64 COMMENT 'of models' CODEC(T64, ZSTD(1)),
    errors UInt64 CODEC(T64, ZSTD(1)),
    input_tokens Nullable(UInt64) CODEC(T64, ZSTD(1)),
    output_tokens Nullable(UInt64) CODEC(T64, ZSTD(1)),
    cost_nano_usd Nullable(Int64) CODEC(T64, ZSTD(1)),
    unpriced_calls UInt64 CODEC(T64, ZSTD(1)),
    version UInt64 CODEC(Delta(8), ZSTD(1)),
    ingested_at DateTime64(3, 'UTC') MATERIALIZED fromUnixTimestamp64Micro(toInt64(version)) CODEC(Delta(8), ZSTD(1)),
    is_deleted UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toMonday(time)
ORDER BY (organization, project, time, part)
TTL time + INTERVAL 16 DAY
SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 0, fsync_part_directory = 0;

CREATE TABLE IF NOT EXISTS spyglass.rollup_edges_minute
(
    organization LowCardinality(String),
    project LowCardinality(String),
    time DateTime('UTC') COMMENT 'start of the minute or of the hour' CODEC(Delta(4), ZSTD(1)),
    part UInt32 COMMENT 'number of the row in its minute or hour' CODEC(T64, ZSTD(1)),
    caller LowCardinality(String) COMMENT 'an agent',
    callee_kind LowCardinality(String) COMMENT 'agent, tool, model, handoff (an agent that took over)',
    callee LowCardinality(String),
    demo Bool,
    calls UInt64 CODEC(T64, ZSTD(1)),
    errors UInt64 CODEC(T64, ZSTD(1)),
    duration_ns UInt64 CODEC(T64, ZSTD(1)),
    longest_ns UInt64 CODEC(T64, ZSTD(1)),
    duration_quantiles AggregateFunction(quantilesBFloat16(0.5, 0.95, 0.99), UInt64) COMMENT 'ns' CODEC(ZSTD(1)),
    input_tokens Nullable(UInt64) CODEC(T64, ZSTD(1)),
    output_tokens Nullable(UInt64) CODEC(T64, ZSTD(1)),
    cost_nano_usd Nullable(Int64) CODEC(T64, ZSTD(1)),
    version UInt64 CODEC(Delta(8), ZSTD(1)),
    ingested_at DateTime64(3, 'UTC') MATERIALIZED fromUnixTimestamp64Micro(toInt64(version)) CODEC(Delta(8), ZSTD(1)),
    is_deleted UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toMonday(time)
ORDER BY (organization, project, time, part)
TTL time + INTERVAL 16 DAY
SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 0, fsync_part_directory = 0;

-- The same by hour.
CREATE TABLE IF NOT EXISTS spyglass.rollup_calls_hour AS spyglass.rollup_calls_minute
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(time)
ORDER BY (organization, project, time, part)
TTL toDateTime(ingested_at) + INTERVAL 730 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, fsync_after_insert = 0, fsync_part_directory = 0;

CREATE TABLE IF NOT EXISTS spyglass.rollup_tools_hour AS spyglass.rollup_tools_minute
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(time)
ORDER BY (organization, project, time, part)
TTL toDateTime(ingested_at) + INTERVAL 730 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, fsync_after_insert = 0, fsync_part_directory = 0;

CREATE TABLE IF NOT EXISTS spyglass.rollup_users_hour AS spyglass.rollup_users_minute
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(time)
ORDER BY (organization, project, time, part)
TTL toDateTime(ingested_at) + INTERVAL 730 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, fsync_after_insert = 0, fsync_part_directory = 0;

CREATE TABLE IF NOT EXISTS spyglass.rollup_edges_hour AS spyglass.rollup_edges_minute
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(time)
ORDER BY (organization, project, time, part)
TTL toDateTime(ingested_at) + INTERVAL 730 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1, fsync_after_insert = 0, fsync_part_directory = 0;

-- Until when hours have their totals; of later ones only the minutes have. The newest row counts.
CREATE TABLE IF NOT EXISTS spyglass.closed_hours
(
    closed_until DateTime('UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY closed_until;

-- What the nightly comparison with the spans found, before it mended that.
CREATE TABLE IF NOT EXISTS spyglass.reconciliations
(
    at DateTime64(3, 'UTC') DEFAULT now64(3),
    first DateTime('UTC') COMMENT 'start of the range',
    until DateTime('UTC') COMMENT 'its end, exclusive',
    differences UInt64 COMMENT 'traces and totals that differed',
    tables Array(LowCardinality(String)) COMMENT 'in which they were'
)
ENGINE = MergeTree
ORDER BY at
TTL toDateTime(at) + INTERVAL 400 DAY;

-- All time by hour, of the hours that are still open what their minutes say so far.
CREATE VIEW IF NOT EXISTS spyglass.rollup_calls AS
SELECT * FROM spyglass.rollup_calls_hour FINAL
WHERE time < (SELECT max(closed_until) FROM spyglass.closed_hours)
UNION ALL
SELECT * REPLACE (toStartOfHour(time) AS time) FROM spyglass.rollup_calls_minute FINAL
WHERE rollup_calls_minute.time >= (SELECT max(closed_until) FROM spyglass.closed_hours);

CREATE VIEW IF NOT EXISTS spyglass.rollup_tools AS
SELECT * FROM spyglass.rollup_tools_hour FINAL
WHERE time < (SELECT max(closed_until) FROM spyglass.closed_hours)
UNION ALL
SELECT * REPLACE (toStartOfHour(time) AS time) FROM spyglass.rollup_tools_minute FINAL
WHERE rollup_tools_minute.time >= (SELECT max(closed_until) FROM spyglass.closed_hours);

CREATE VIEW IF NOT EXISTS spyglass.rollup_users AS
SELECT * FROM spyglass.rollup_users_hour FINAL
WHERE time < (SELECT max(closed_until) FROM spyglass.closed_hours)
UNION ALL
SELECT * REPLACE (toStartOfHour(time) AS time) FROM spyglass.rollup_users_minute FINAL
WHERE rollup_users_minute.time >= (SELECT max(closed_until) FROM spyglass.closed_hours);

CREATE VIEW IF NOT EXISTS spyglass.rollup_edges AS
SELECT * FROM spyglass.rollup_edges_hour FINAL
WHERE time < (SELECT max(closed_until) FROM spyglass.closed_hours)
UNION ALL
SELECT * REPLACE (toStartOfHour(time) AS time) FROM spyglass.rollup_edges_minute FINAL
WHERE rollup_edges_minute.time >= (SELECT max(closed_until) FROM spyglass.closed_hours);

-- Who called whom in a trace, by minute.
CREATE VIEW IF NOT EXISTS spyglass.agent_edges AS
SELECT
    organization, project, minute, trace_id, if(kind IN ('agent', 'handoff'), peer, agent) AS caller,
    multiIf(kind IN ('llm', 'embedding'), 'model', kind) AS callee_kind,
    multiIf(kind = 'tool', tool, callee_kind = 'model', model, agent) AS callee, max(demo) AS demo,
    sum(m.calls) AS calls, sumIf(m.calls, status = 'error') AS errors, sum(arraySum(durations_ns)) AS duration_ns,
    max(arrayMax(durations_ns)) AS longest_ns, sum(m.input_tokens) AS input_tokens,
    sum(m.output_tokens) AS output_tokens, sum(m.cost_nano_usd) AS cost_nano_usd
FROM spyglass.trace_minutes AS m FINAL
WHERE kind IN ('agent', 'handoff', 'tool', 'llm', 'embedding') AND caller != '' AND callee != ''
GROUP BY organization, project, minute, trace_id, caller, callee_kind, callee;

-- These are made of spans too.
ALTER TABLE spyglass.trace_index MODIFY SETTING fsync_after_insert = 0, fsync_part_directory = 0;
ALTER TABLE spyglass.open_traces MODIFY SETTING fsync_after_insert = 0, fsync_part_directory = 0;
ALTER TABLE spyglass.clean_marks MODIFY SETTING fsync_after_insert = 0, fsync_part_directory = 0;
ALTER TABLE spyglass.finaliser_runs MODIFY SETTING fsync_after_insert = 0, fsync_part_directory = 0;

-- Everything is to be written again.
INSERT INTO spyglass.dirty_traces (trace_id, started_at, ended_at)
SELECT trace_id, min(timestamp), max(timestamp + toIntervalNanosecond(duration_ns)) FROM spyglass.spans GROUP BY trace_id;
