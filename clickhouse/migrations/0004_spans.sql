-- Spans, and their texts in a table of their own because those are kept for a shorter time.
-- Identity: (trace_id, span_id), at the end of a key that follows from the span itself, so a span that comes again, in
-- whatever batch, replaces itself. Nothing is added up here.

CREATE TABLE IF NOT EXISTS spyglass.spans
(
    organization LowCardinality(String),
    project LowCardinality(String),
    environment LowCardinality(String),
    service LowCardinality(String),
    release LowCardinality(String),
    instance String CODEC(ZSTD(1)),
    demo Bool,
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1)),
    timestamp DateTime64(9, 'UTC') COMMENT 'start' CODEC(Delta(8), ZSTD(1)),
    duration_ns UInt64 CODEC(T64, ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    parent_span_id String COMMENT 'empty: a root' CODEC(ZSTD(1)),
    trace_state String CODEC(ZSTD(1)),
    execution_id String CODEC(ZSTD(1)),
    kind LowCardinality(String) COMMENT 'workflow, agent, llm, tool, retrieval, embedding, guardrail, queue, task, unknown',
    name LowCardinality(String),
    span_kind LowCardinality(String) COMMENT 'of OpenTelemetry: Internal, Server, Client, Producer, Consumer',
    scope_name LowCardinality(String),
    scope_version LowCardinality(String),
    dialect LowCardinality(String),
    status LowCardinality(String) COMMENT 'ok, error, unset',
    status_message String CODEC(ZSTD(1)),
    error_type LowCardinality(String),
    operation LowCardinality(String),
    provider LowCardinality(String),
    request_model LowCardinality(String),
    response_model LowCardinality(String),
    model LowCardinality(String) COMMENT 'of the response, else of the request',
    agent LowCardinality(String),
    agent_id String CODEC(ZSTD(1)),
    agent_version LowCardinality(String),
    parent_agent LowCardinality(String),
    source_agent LowCardinality(String),
    target_agent LowCardinality(String),
    workflow LowCardinality(String),
    tool LowCardinality(String),
    tool_call_id String CODEC(ZSTD(1)),
    response_id String CODEC(ZSTD(1)),
    conversation_id String CODEC(ZSTD(1)),
    session_id String CODEC(ZSTD(1)),
    user_id String CODEC(ZSTD(1)),
    input_tokens Nullable(UInt64) COMMENT 'with what was read from and written to the cache; NULL: unknown' CODEC(T64, ZSTD(1)),
    output_tokens Nullable(UInt64) COMMENT 'with reasoning' CODEC(T64, ZSTD(1)),
    cache_read_tokens Nullable(UInt64) CODEC(T64, ZSTD(1)),
    cache_write_tokens Nullable(UInt64) CODEC(T64, ZSTD(1)),
    reasoning_tokens Nullable(UInt64) CODEC(T64, ZSTD(1)),
    usage_source LowCardinality(String) COMMENT 'reported, estimated, aggregated, missing; empty: not a model call',
    cost_nano_usd Nullable(Int64) COMMENT '1e-9 USD; NULL: unknown' CODEC(T64, ZSTD(1)),
    cost_source LowCardinality(String)
        DEFAULT multiIf(kind NOT IN ('llm', 'embedding'), '', cost_nano_usd IS NULL, 'unpriced', 'computed')
        COMMENT 'empty: not a model call',
    reported_cost_nano_usd Nullable(Int64) COMMENT 'as the emitter says, never mixed with ours' CODEC(T64, ZSTD(1)),
    queue LowCardinality(String),
    queue_wait_seconds Nullable(Float64) CODEC(ZSTD(1)),
    time_to_first_token_seconds Nullable(Float64) CODEC(ZSTD(1)),
    finish_reasons Array(LowCardinality(String)),
    stream Bool,
    defects Map(LowCardinality(String), String) COMMENT 'column → what was reported, where that was absurd and is not in the column' CODEC(ZSTD(3)),
    attributes Map(LowCardinality(String), String) COMMENT 'what is in no other column' CODEC(ZSTD(3)),
    resource Map(LowCardinality(String), String) CODEC(ZSTD(3)),
    events Nested
    (
        timestamp DateTime64(9, 'UTC'),
        name LowCardinality(String),
        attributes Map(LowCardinality(String), String)
    ) CODEC(ZSTD(3)),
    links Nested
    (
        trace_id String,
        span_id String,
        trace_state String,
        attributes Map(LowCardinality(String), String)
    ) CODEC(ZSTD(3)),
    INDEX trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX session session_id TYPE bloom_filter(0.005) GRANULARITY 1,
    INDEX arrival ingested_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toMonday(timestamp)
PRIMARY KEY (organization, project, agent, kind, toStartOfHour(timestamp))
ORDER BY (organization, project, agent, kind, toStartOfHour(timestamp), timestamp, trace_id, span_id)
TTL toDateTime(ingested_at) + INTERVAL 90 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1;

CREATE TABLE IF NOT EXISTS spyglass.span_content
(
    organization LowCardinality(String),
    project LowCardinality(String),
    environment LowCardinality(String),
    service LowCardinality(String),
    release LowCardinality(String),
    instance String CODEC(ZSTD(1)),
    demo Bool,
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1)),
    timestamp DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    kind LowCardinality(String),
    input String COMMENT 'messages, tool arguments or query' CODEC(ZSTD(3)),
    output String COMMENT 'messages, tool result or documents' CODEC(ZSTD(3)),
    system String COMMENT 'system instructions' CODEC(ZSTD(3)),
    attributes Map(LowCardinality(String), String) COMMENT 'texts under other names, as they came' CODEC(ZSTD(3)),
    INDEX trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toMonday(timestamp)
PRIMARY KEY (organization, project, toStartOfHour(timestamp))
ORDER BY (organization, project, toStartOfHour(timestamp), timestamp, trace_id, span_id)
TTL toDateTime(ingested_at) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1;

-- Every alias that is used twice is analysed twice, and every subquery costs as much, at each insert: hence one level and
-- few aliases. No function here may throw: one odd row must not stop a batch.
CREATE MATERIALIZED VIEW IF NOT EXISTS spyglass.otel_traces_to_spans TO spyglass.spans AS
WITH
    SpanAttributes AS a,
    ResourceAttributes AS r,
    1000000000 AS most
SELECT
    multiIf(a['spyglass.organization'] != '', a['spyglass.organization'], r['spyglass.organization'] != '', r['spyglass.organization'], 'default') AS organization,
    multiIf(a['spyglass.project'] != '', a['spyglass.project'], r['spyglass.project'] != '', r['spyglass.project'], 'default') AS project,
    r['deployment.environment.name'] AS environment,
    ServiceName AS service,
    r['service.version'] AS release,
    r['service.instance.id'] AS instance,
    a['spyglass.demo'] = 'true' OR r['spyglass.demo'] = 'true' AS demo,
    Timestamp AS timestamp,
    -- a span that ends before it starts wraps around in the exporter
    if(Duration > 9223372036854775807, 0, Duration) AS duration_ns,
    TraceId AS trace_id,
    SpanId AS span_id,
    ParentSpanId AS parent_span_id,
    TraceState AS trace_state,
    a['spyglass.execution.id'] AS execution_id,
    if(a['spyglass.kind'] = '', 'unknown', a['spyglass.kind']) AS kind,
    SpanName AS name,
    SpanKind AS span_kind,
    ScopeName AS scope_name,
    ScopeVersion AS scope_version,
    a['spyglass.dialect'] AS dialect,
    lower(StatusCode) AS status,
    StatusMessage AS status_message,
    a['error.type'] AS error_type,
    a['gen_ai.operation.name'] AS operation,
    a['gen_ai.provider.name'] AS provider,
    a['gen_ai.request.model'] AS request_model,
    a['gen_ai.response.model'] AS response_model,
    if(a['gen_ai.response.model'] != '', a['gen_ai.response.model'], a['gen_ai.request.model']) AS model,
    a['gen_ai.agent.name'] AS agent,
    a['gen_ai.agent.id'] AS agent_id,
    a['gen_ai.agent.version'] AS agent_version,
    a['spyglass.agent.parent.name'] AS parent_agent,
    a['spyglass.agent.source.name'] AS source_agent,
    a['spyglass.agent.target.name'] AS target_agent,
    a['gen_ai.workflow.name'] AS workflow,
    a['gen_ai.tool.name'] AS tool,
    a['gen_ai.tool.call.id'] AS tool_call_id,
    a['gen_ai.response.id'] AS response_id,
    a['gen_ai.conversation.id'] AS conversation_id,
    a['session.id'] AS session_id,
    a['user.id'] AS user_id,
    if((toUInt64OrNull(a['gen_ai.usage.input_tokens']) AS in_) <= most, in_, NULL) AS input_tokens,
    if((toUInt64OrNull(a['gen_ai.usage.output_tokens']) AS out_) <= most, out_, NULL) AS output_tokens,
    if((toUInt64OrNull(a['gen_ai.usage.cache_read.input_tokens']) AS read_) <= most, read_, NULL) AS cache_read_tokens,
    if((toUInt64OrNull(a['gen_ai.usage.cache_write.input_tokens']) AS write_) <= most, write_, NULL) AS cache_write_tokens,
    if((toUInt64OrNull(a['gen_ai.usage.reasoning.output_tokens']) AS reason_) <= most, reason_, NULL) AS reasoning_tokens,
    a['spyglass.usage.source'] AS usage_source,
    spyglass_cost_nano_usd(
        kind, provider, model, Timestamp, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens,
        reasoning_tokens) AS cost_nano_usd,
    if((toFloat64OrNull(a['spyglass.cost.amount']) AS usd_) >= 0 AND usd_ < most, toInt64(round(usd_ * 1e9)), NULL) AS reported_cost_nano_usd,
    if(a['spyglass.queue.name'] != '', a['spyglass.queue.name'], a['messaging.destination.name']) AS queue,
    if((toFloat64OrNull(a['spyglass.queue.wait']) AS wait_) >= 0 AND wait_ < most, wait_, NULL) AS queue_wait_seconds,
    if((toFloat64OrNull(a['gen_ai.response.time_to_first_chunk']) AS first_) >= 0 AND first_ < most, first_, NULL) AS time_to_first_token_seconds,
    if(startsWith(a['gen_ai.response.finish_reasons'], '['), JSONExtract(a['gen_ai.response.finish_reasons'], 'Array(String)'), arrayFilter(x -> x != '', [a['gen_ai.response.finish_reasons']])) AS finish_reasons,
    a['gen_ai.request.stream'] = 'true' AS stream,
    mapFilter((k, v) -> v != '', map(
        'duration_ns', if(Duration > 9223372036854775807, toString(Duration), ''),
        'input_tokens', if(input_tokens IS NULL, a['gen_ai.usage.input_tokens'], ''),
        'output_tokens', if(output_tokens IS NULL, a['gen_ai.usage.output_tokens'], ''),
        'cache_read_tokens', if(cache_read_tokens IS NULL, a['gen_ai.usage.cache_read.input_tokens'], ''),
        'cache_write_tokens', if(cache_write_tokens IS NULL, a['gen_ai.usage.cache_write.input_tokens'], ''),
        'reasoning_tokens', if(reasoning_tokens IS NULL, a['gen_ai.usage.reasoning.output_tokens'], ''),
        'reported_cost_nano_usd', if(reported_cost_nano_usd IS NULL, a['spyglass.cost.amount'], ''),
        'queue_wait_seconds', if(queue_wait_seconds IS NULL, a['spyglass.queue.wait'], ''),
        'time_to_first_token_seconds', if(time_to_first_token_seconds IS NULL, a['gen_ai.response.time_to_first_chunk'], ''),
        'cached_tokens', if(input_tokens < ifNull(cache_read_tokens, 0) + ifNull(cache_write_tokens, 0), concat('more than the ', toString(input_tokens), ' of the input'), '')
    )) AS defects,
    -- what is in a column above is left out; so are the texts, which are in span_content
    mapFilter((k, v) -> k NOT IN (
        'spyglass.organization', 'spyglass.project', 'spyglass.demo', 'spyglass.execution.id', 'spyglass.kind',
        'spyglass.dialect', 'error.type', 'gen_ai.operation.name', 'gen_ai.provider.name', 'gen_ai.request.model',
        'gen_ai.response.model', 'gen_ai.agent.name', 'gen_ai.agent.id', 'gen_ai.agent.version',
        'spyglass.agent.parent.name', 'spyglass.agent.source.name', 'spyglass.agent.target.name',
        'gen_ai.workflow.name', 'gen_ai.tool.name', 'gen_ai.tool.call.id', 'gen_ai.response.id',
        'gen_ai.conversation.id', 'session.id', 'user.id', 'gen_ai.usage.input_tokens', 'gen_ai.usage.output_tokens',
        'gen_ai.usage.cache_read.input_tokens', 'gen_ai.usage.cache_write.input_tokens',
        'gen_ai.usage.reasoning.output_tokens', 'spyglass.usage.source', 'spyglass.queue.name', 'spyglass.queue.wait',
        'gen_ai.request.stream'
    ) AND NOT match(k, '^(gen_ai\\.(input\\.messages|output\\.messages|system_instructions|tool\\.call\\.(arguments|result)|retrieval\\.(query\\.text|documents)|prompt|completion)$|gen_ai\\.(prompt|completion)\\.|(input|output)\\.value$|llm\\.(input_messages|output_messages|prompts)(\\.|$)|traceloop\\.entity\\.(input|output)$|langfuse\\.observation\\.(input|output)$|ai\\.(prompt|response)(\\.|$)|(retrieval|reranker)\\..*documents\\.|embedding\\.embeddings\\.|tool\\.parameters$|pydantic_ai\\.all_messages$)'), a) AS attributes,
    r AS resource,
    Events.Timestamp AS `events.timestamp`,
    Events.Name AS `events.name`,
    Events.Attributes AS `events.attributes`,
    Links.TraceId AS `links.trace_id`,
    Links.SpanId AS `links.span_id`,
    Links.TraceState AS `links.trace_state`,
    Links.Attributes AS `links.attributes`
FROM spyglass.otel_traces
WHERE Timestamp >= toDateTime64('2000-01-01 00:00:00', 9, 'UTC') AND Timestamp <= now64(9) + INTERVAL 1 HOUR;

CREATE MATERIALIZED VIEW IF NOT EXISTS spyglass.otel_traces_to_span_content TO spyglass.span_content AS
WITH
    SpanAttributes AS a,
    ResourceAttributes AS r
SELECT
    multiIf(a['spyglass.organization'] != '', a['spyglass.organization'], r['spyglass.organization'] != '', r['spyglass.organization'], 'default') AS organization,
    multiIf(a['spyglass.project'] != '', a['spyglass.project'], r['spyglass.project'] != '', r['spyglass.project'], 'default') AS project,
    r['deployment.environment.name'] AS environment,
    ServiceName AS service,
    r['service.version'] AS release,
    r['service.instance.id'] AS instance,
    a['spyglass.demo'] = 'true' OR r['spyglass.demo'] = 'true' AS demo,
    Timestamp AS timestamp,
    TraceId AS trace_id,
    SpanId AS span_id,
    if(a['spyglass.kind'] = '', 'unknown', a['spyglass.kind']) AS kind,
    multiIf(a['gen_ai.input.messages'] != '', a['gen_ai.input.messages'], a['gen_ai.tool.call.arguments'] != '', a['gen_ai.tool.call.arguments'], a['gen_ai.retrieval.query.text']) AS input,
    multiIf(a['gen_ai.output.messages'] != '', a['gen_ai.output.messages'], a['gen_ai.tool.call.result'] != '', a['gen_ai.tool.call.result'], a['gen_ai.retrieval.documents']) AS output,
    a['gen_ai.system_instructions'] AS system,
    mapFilter((k, v) -> match(k, '^(gen_ai\\.(input\\.messages|output\\.messages|system_instructions|tool\\.call\\.(arguments|result)|retrieval\\.(query\\.text|documents)|prompt|completion)$|gen_ai\\.(prompt|completion)\\.|(input|output)\\.value$|llm\\.(input_messages|output_messages|prompts)(\\.|$)|traceloop\\.entity\\.(input|output)$|langfuse\\.observation\\.(input|output)$|ai\\.(prompt|response)(\\.|$)|(retrieval|reranker)\\..*documents\\.|embedding\\.embeddings\\.|tool\\.parameters$|pydantic_ai\\.all_messages$)') AND v NOT IN (input, output, system), a) AS attributes
FROM spyglass.otel_traces
WHERE Timestamp >= toDateTime64('2000-01-01 00:00:00', 9, 'UTC') AND Timestamp <= now64(9) + INTERVAL 1 HOUR
    AND arrayExists(k -> match(k, '^(gen_ai\\.(input\\.messages|output\\.messages|system_instructions|tool\\.call\\.(arguments|result)|retrieval\\.(query\\.text|documents)|prompt|completion)$|gen_ai\\.(prompt|completion)\\.|(input|output)\\.value$|llm\\.(input_messages|output_messages|prompts)(\\.|$)|traceloop\\.entity\\.(input|output)$|langfuse\\.observation\\.(input|output)$|ai\\.(prompt|response)(\\.|$)|(retrieval|reranker)\\..*documents\\.|embedding\\.embeddings\\.|tool\\.parameters$|pydantic_ai\\.all_messages$)'), mapKeys(SpanAttributes));

CREATE MATERIALIZED VIEW IF NOT EXISTS spyglass.otel_traces_to_dead_letters TO spyglass.dead_letters AS
SELECT
    'row' AS source,
    'otel_traces' AS table_name,
    concat('start ', toString(Timestamp), if(Timestamp < toDateTime64('2000-01-01 00:00:00', 9, 'UTC'), ' is before 2000', ' is more than an hour ahead')) AS reason,
    0 AS error_code,
    1 AS rows,
    formatRowNoNewline('JSONEachRow', *) AS body,
    length(body) AS bytes
FROM spyglass.otel_traces
WHERE NOT (Timestamp >= toDateTime64('2000-01-01 00:00:00', 9, 'UTC') AND Timestamp <= now64(9) + INTERVAL 1 HOUR);
