-- Spans on less disk. Measured over a million spans of 1.06 kB of text, all tables together: 293 bytes a span before,
-- 239 after; the tables that the collector's exporter makes by itself take 256.
-- Only metadata changes: parts that are there stay as they are until they are merged, new ones have all of it.

-- Texts repeat what came a few thousand spans before: instructions, a result that the next call quotes. A block of some
-- megabytes whose matches may lie anywhere in it (the window of 2^24 bytes) finds that, one of 1 MB does not: the texts
-- took 155 bytes a span and take 131, at the same cost of inserts and a tenth more of merges. Larger blocks would save
-- more, but whoever reads a trace unpacks one or two of each column: 18 ms of a core more with these.
ALTER TABLE spyglass.span_content MODIFY COLUMN input CODEC(ZSTD(3, 24))
    SETTINGS (min_compress_block_size = 4194304, max_compress_block_size = 4194304);
ALTER TABLE spyglass.span_content MODIFY COLUMN output CODEC(ZSTD(3, 24))
    SETTINGS (min_compress_block_size = 8388608, max_compress_block_size = 8388608);

-- Seconds are decimals with few digits, so the same doubles come again and again; a larger block knows more of them.
ALTER TABLE spyglass.spans MODIFY COLUMN queue_wait_seconds CODEC(ZSTD(6))
    SETTINGS (min_compress_block_size = 1048576, max_compress_block_size = 1048576);
ALTER TABLE spyglass.spans MODIFY COLUMN time_to_first_token_seconds CODEC(ZSTD(6))
    SETTINGS (min_compress_block_size = 1048576, max_compress_block_size = 1048576);

-- Clocks and durations count microseconds, seldom nanoseconds: what all values of a block can be divided by is left out.
-- From ZSTD(3) on, an id that stands in row after row costs little; one that is in each row once (span_id, response_id,
-- tool_call_id) is as good as random, and stays. From ZSTD(6) on, the map of a resource is found whole in an earlier row.
ALTER TABLE spyglass.spans
    MODIFY COLUMN timestamp CODEC(GCD, Delta(8), T64, ZSTD(1)),
    MODIFY COLUMN duration_ns CODEC(GCD, T64, ZSTD(1)),
    MODIFY COLUMN trace_id CODEC(ZSTD(3)),
    MODIFY COLUMN parent_span_id CODEC(ZSTD(3)),
    MODIFY COLUMN execution_id CODEC(ZSTD(3)),
    MODIFY COLUMN agent_id CODEC(ZSTD(3)),
    MODIFY COLUMN conversation_id CODEC(ZSTD(3)),
    MODIFY COLUMN session_id CODEC(ZSTD(3)),
    MODIFY COLUMN user_id CODEC(ZSTD(3)),
    MODIFY COLUMN attributes CODEC(ZSTD(6)),
    MODIFY COLUMN resource CODEC(ZSTD(6));

ALTER TABLE spyglass.span_content
    MODIFY COLUMN timestamp CODEC(GCD, Delta(8), T64, ZSTD(1)),
    MODIFY COLUMN trace_id CODEC(ZSTD(3));

ALTER TABLE spyglass.llm_calls
    MODIFY COLUMN started_at CODEC(GCD, T64, ZSTD(1)),
    MODIFY COLUMN duration_ns CODEC(GCD, T64, ZSTD(1)),
    MODIFY COLUMN execution_id CODEC(ZSTD(3)),
    MODIFY COLUMN trace_id CODEC(ZSTD(3)),
    MODIFY COLUMN user_id CODEC(ZSTD(3)),
    MODIFY COLUMN session_id CODEC(ZSTD(3)),
    MODIFY COLUMN conversation_id CODEC(ZSTD(3));

ALTER TABLE spyglass.fact_agent_executions
    MODIFY COLUMN started_at CODEC(GCD, T64, ZSTD(1)),
    MODIFY COLUMN ended_at CODEC(GCD, T64, ZSTD(1)),
    MODIFY COLUMN llm_ns CODEC(GCD, T64, ZSTD(1)),
    MODIFY COLUMN tool_ns CODEC(GCD, T64, ZSTD(1));

ALTER TABLE spyglass.trace_minutes
    MODIFY COLUMN trace_id CODEC(ZSTD(3)),
    MODIFY COLUMN user_id CODEC(ZSTD(3)),
    MODIFY COLUMN durations_ns CODEC(GCD, T64, ZSTD(1)),
    MODIFY COLUMN queue_waits_seconds CODEC(ZSTD(3));

ALTER TABLE spyglass.rollup_calls_minute
    MODIFY COLUMN duration_ns CODEC(GCD, T64, ZSTD(1)),
    MODIFY COLUMN longest_ns CODEC(GCD, T64, ZSTD(1));

ALTER TABLE spyglass.rollup_calls_hour
    MODIFY COLUMN duration_ns CODEC(GCD, T64, ZSTD(1)),
    MODIFY COLUMN longest_ns CODEC(GCD, T64, ZSTD(1));

ALTER TABLE spyglass.rollup_tools_minute
    MODIFY COLUMN duration_ns CODEC(GCD, T64, ZSTD(1)),
    MODIFY COLUMN longest_ns CODEC(GCD, T64, ZSTD(1));

ALTER TABLE spyglass.rollup_tools_hour
    MODIFY COLUMN duration_ns CODEC(GCD, T64, ZSTD(1)),
    MODIFY COLUMN longest_ns CODEC(GCD, T64, ZSTD(1));

ALTER TABLE spyglass.rollup_edges_minute
    MODIFY COLUMN duration_ns CODEC(GCD, T64, ZSTD(1)),
    MODIFY COLUMN longest_ns CODEC(GCD, T64, ZSTD(1));

ALTER TABLE spyglass.rollup_edges_hour
    MODIFY COLUMN duration_ns CODEC(GCD, T64, ZSTD(1)),
    MODIFY COLUMN longest_ns CODEC(GCD, T64, ZSTD(1));

-- Columns without a codec of their own are mostly numbers of words: ZSTD(1) makes them a third smaller than LZ4 does.
ALTER TABLE spyglass.spans MODIFY SETTING default_compression_codec = 'ZSTD(1)';
ALTER TABLE spyglass.span_content MODIFY SETTING default_compression_codec = 'ZSTD(1)';
ALTER TABLE spyglass.llm_calls MODIFY SETTING default_compression_codec = 'ZSTD(1)';
ALTER TABLE spyglass.fact_agent_executions MODIFY SETTING default_compression_codec = 'ZSTD(1)';
ALTER TABLE spyglass.trace_minutes MODIFY SETTING default_compression_codec = 'ZSTD(1)';
ALTER TABLE spyglass.rollup_calls_minute MODIFY SETTING default_compression_codec = 'ZSTD(1)';
ALTER TABLE spyglass.rollup_calls_hour MODIFY SETTING default_compression_codec = 'ZSTD(1)';
ALTER TABLE spyglass.rollup_tools_minute MODIFY SETTING default_compression_codec = 'ZSTD(1)';
ALTER TABLE spyglass.rollup_tools_hour MODIFY SETTING default_compression_codec = 'ZSTD(1)';
ALTER TABLE spyglass.rollup_users_minute MODIFY SETTING default_compression_codec = 'ZSTD(1)';
ALTER TABLE spyglass.rollup_users_hour MODIFY SETTING default_compression_codec = 'ZSTD(1)';
ALTER TABLE spyglass.rollup_edges_minute MODIFY SETTING default_compression_codec = 'ZSTD(1)';
ALTER TABLE spyglass.rollup_edges_hour MODIFY SETTING default_compression_codec = 'ZSTD(1)';

-- The same function as in 0003, made anew: one that the engine has read from its disk goes into the view below with other
-- brackets, and a warehouse that was started again would not have the schema of one that was not.
DROP FUNCTION IF EXISTS spyglass_cost_nano_usd;

CREATE FUNCTION IF NOT EXISTS spyglass_cost_nano_usd AS
(kind, provider, model, at, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens) ->
    arrayMap(price -> arrayMap(step ->
        if(step = 0 OR kind NOT IN ('llm', 'embedding')
            OR input_tokens < ifNull(cache_read_tokens, 0) + ifNull(cache_write_tokens, 0), NULL,
            toInt64(intDiv(
                toInt128(input_tokens) * price.3[step]
                + toInt128(ifNull(cache_read_tokens, 0)) * (price.4[step] - price.3[step])
                + toInt128(ifNull(cache_write_tokens, 0)) * (price.5[step] - price.3[step])
                + toInt128(if(kind = 'embedding', ifNull(output_tokens, 0), output_tokens)) * price.6[step]
                + toInt128(ifNull(reasoning_tokens, 0)) * (price.7[step] - price.6[step])
                + toInt128(price.8) * 1000000
                + 500000, 1000000))),
        [arrayLastIndex(
            (daily_from, above) -> daily_from <= toUnixTimestamp(at) % 86400
                AND (above = 0 OR above < ifNull(input_tokens, 0)),
            price.1, price.2)])[1],
        [dictGetOrDefault(
            'spyglass.price',
            ('daily_from', 'above', 'input', 'cache_read', 'cache_write', 'output', 'reasoning', 'request'),
            (toString(provider), toString(model)),
            toDateTime(at),
            (
                []::Array(UInt32), []::Array(UInt64), []::Array(Int64), []::Array(Int64),
                []::Array(Int64), []::Array(Int64), []::Array(Int64), 0::Int64
            )
        )])[1];

-- As in 0004, but three attributes are no longer in the map where their column gives back the very same text. Where it
-- does not (more digits than the column has, a list with other things than texts), they stay.
ALTER TABLE spyglass.otel_traces_to_spans MODIFY QUERY
WITH
    SpanAttributes AS a,
    ResourceAttributes AS r,
    1000000000 AS most,
    ifNull(toString(reported_cost_nano_usd / 1e9) = a['spyglass.cost.amount'], false) AS cost_held,
    ifNull(toString(time_to_first_token_seconds) = a['gen_ai.response.time_to_first_chunk'], false) AS first_held,
    notEmpty(finish_reasons) AND (
        NOT startsWith(a['gen_ai.response.finish_reasons'], '[')
        OR toJSONString(finish_reasons) = a['gen_ai.response.finish_reasons']) AS reasons_held
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
    ) AND NOT match(k, '^(gen_ai\\.(input\\.messages|output\\.messages|system_instructions|tool\\.call\\.(arguments|result)|retrieval\\.(query\\.text|documents)|prompt|completion)$|gen_ai\\.(prompt|completion)\\.|(input|output)\\.value$|llm\\.(input_messages|output_messages|prompts)(\\.|$)|traceloop\\.entity\\.(input|output)$|langfuse\\.observation\\.(input|output)$|ai\\.(prompt|response)(\\.|$)|(retrieval|reranker)\\..*documents\\.|embedding\\.embeddings\\.|tool\\.parameters$|pydantic_ai\\.all_messages$)')
        AND NOT (k = 'spyglass.cost.amount' AND cost_held)
        AND NOT (k = 'gen_ai.response.time_to_first_chunk' AND first_held)
        AND NOT (k = 'gen_ai.response.finish_reasons' AND reasons_held), a) AS attributes,
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
