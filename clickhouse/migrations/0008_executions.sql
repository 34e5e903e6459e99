-- What agents did, call by call and run by run. Nothing here is added up at insert: the finaliser (clickhouse/finaliser)
-- writes all that a trace contributes, again whenever a span of it came, and deletes what it no longer contributes.
-- version is the moment of the finaliser's look at the spans, in microseconds: the later look wins, whoever writes last.

-- One row for each insert that brought spans of a trace; mark tells rows apart. Arrival is stamped before the insert is
-- visible, so what was handled is known by mark and never by time alone.
CREATE TABLE IF NOT EXISTS spyglass.dirty_traces
(
    marked_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1)),
    mark UInt64 DEFAULT rand64() CODEC(NONE),
    trace_id String CODEC(ZSTD(1)),
    started_at DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    ended_at DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toMonday(marked_at)
ORDER BY (marked_at, mark)
TTL toDateTime(marked_at) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS spyglass.otel_traces_to_dirty_traces TO spyglass.dirty_traces AS
SELECT
    TraceId AS trace_id,
    min(Timestamp) AS started_at,
    max(Timestamp + toIntervalNanosecond(if(Duration > 9223372036854775807, 0, Duration))) AS ended_at
FROM spyglass.otel_traces
WHERE Timestamp >= toDateTime64('2000-01-01 00:00:00', 9, 'UTC') AND Timestamp <= now64(9) + INTERVAL 1 HOUR
GROUP BY TraceId;

-- Marks that were handled.
CREATE TABLE IF NOT EXISTS spyglass.clean_marks
(
    marked_at DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    mark UInt64 CODEC(NONE)
)
ENGINE = ReplacingMergeTree
PARTITION BY toMonday(marked_at)
ORDER BY (marked_at, mark)
TTL toDateTime(marked_at) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1;

-- One row for each run of the finaliser that handled something, and one where it had caught up.
CREATE TABLE IF NOT EXISTS spyglass.finaliser_runs
(
    looked_at DateTime64(6, 'UTC') COMMENT 'when it began to read',
    caught_up Bool COMMENT 'no mark was left for the next run',
    marks UInt32,
    traces UInt32,
    spans UInt64,
    seconds Float64
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(looked_at)
ORDER BY looked_at
TTL toDateTime(looked_at) + INTERVAL 30 DAY;

-- From when to when a trace goes, and whether spans of it wait for the span of their agent.
CREATE TABLE IF NOT EXISTS spyglass.trace_index
(
    trace_id String CODEC(ZSTD(1)),
    started_at SimpleAggregateFunction(min, DateTime64(9, 'UTC')) CODEC(ZSTD(1)),
    ended_at SimpleAggregateFunction(max, DateTime64(9, 'UTC')) CODEC(ZSTD(1)),
    marked_at SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'newest arrival' CODEC(ZSTD(1)),
    INDEX arrival marked_at TYPE minmax GRANULARITY 1
)
ENGINE = AggregatingMergeTree
ORDER BY trace_id
SETTINGS index_granularity = 1024;

-- Traces with spans that belong to no closed execution yet: the sweeper closes them.
CREATE TABLE IF NOT EXISTS spyglass.open_traces
(
    trace_id String CODEC(ZSTD(1)),
    marked_at DateTime64(3, 'UTC'),
    version UInt64,
    is_deleted UInt8
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY trace_id;

CREATE TABLE IF NOT EXISTS spyglass.fact_agent_executions
(
    organization LowCardinality(String),
    project LowCardinality(String),
    environment LowCardinality(String),
    service LowCardinality(String),
    release LowCardinality(String),
    instance String CODEC(ZSTD(1)),
    demo Bool,
    agent LowCardinality(String),
    agent_id String CODEC(ZSTD(1)),
    agent_version LowCardinality(String),
    dialect LowCardinality(String),
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
    closed_by LowCardinality(String) COMMENT 'agent: its span came; sweeper: it never did',
    version UInt64 CODEC(Delta(8), ZSTD(1)),
    is_deleted UInt8 DEFAULT 0,
    INDEX trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX execution execution_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(started_at)
PRIMARY KEY (organization, project, agent, toStartOfHour(started_at))
ORDER BY (organization, project, agent, toStartOfHour(started_at), started_at, trace_id, execution_id);

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
    response_id String CODEC(ZSTD(1)),
    workflow LowCardinality(String),
    user_id String CODEC(ZSTD(1)),
    session_id String CODEC(ZSTD(1)),
    conversation_id String CODEC(ZSTD(1)),
    status LowCardinality(String),
    error_type LowCardinality(String),
    finish_reasons Array(LowCardinality(String)),
    stream Bool,
    time_to_first_token_seconds Nullable(Float64) CODEC(ZSTD(1)),
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
    is_deleted UInt8 DEFAULT 0,
    INDEX trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(started_at)
PRIMARY KEY (organization, project, model, agent, toStartOfHour(started_at))
ORDER BY (organization, project, model, agent, toStartOfHour(started_at), started_at, trace_id, span_id);

-- Who called whom in a trace: an agent another agent, a tool or a model.
CREATE TABLE IF NOT EXISTS spyglass.agent_edges
(
    organization LowCardinality(String),
    project LowCardinality(String),
    demo Bool,
    caller LowCardinality(String) COMMENT 'an agent',
    callee_kind LowCardinality(String) COMMENT 'agent, tool, model, handoff (an agent that took over)',
    callee LowCardinality(String),
    hour DateTime('UTC') COMMENT 'in which the first of these calls began' CODEC(Delta(4), ZSTD(1)),
    started_at DateTime64(9, 'UTC') COMMENT 'of the first call' CODEC(Delta(8), ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    calls UInt32 CODEC(T64, ZSTD(1)),
    errors UInt32 CODEC(T64, ZSTD(1)),
    duration_ns UInt64 COMMENT 'sum over calls' CODEC(T64, ZSTD(1)),
    longest_ns UInt64 CODEC(T64, ZSTD(1)),
    input_tokens Nullable(UInt64) CODEC(T64, ZSTD(1)),
    output_tokens Nullable(UInt64) CODEC(T64, ZSTD(1)),
    cost_nano_usd Nullable(Int64) CODEC(T64, ZSTD(1)),
    version UInt64 CODEC(Delta(8), ZSTD(1)),
    is_deleted UInt8 DEFAULT 0,
    INDEX trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(hour)
PRIMARY KEY (organization, project, hour, caller, callee_kind, callee)
ORDER BY (organization, project, hour, caller, callee_kind, callee, trace_id);
