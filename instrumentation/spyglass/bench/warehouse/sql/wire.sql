-- The generator's spans as the collector's exporter writes them, one SELECT for every schema. A trace of day d is of the
-- age d - 7 × replica in the replicas, so that each day has as many; its ids follow from its number and the replica.
-- days, replicas: which days of the base become which replica; begins_ns: when each of these days begins; within_us: the
-- longest time from there to a trace's start, and from that to a span's (live traces are pressed together); suffix: of
-- the names of agents and models.
WITH
    '$organization' AS only_organization,
    '$suffix' AS suffix,
    n -> lower(leftPad(hex(sipHash64(trace_no, replica, n, 2)), 16, '0')) AS id,
    a -> if(a >= 254, '', concat(
        ['research', 'planner', 'coder', 'reviewer', 'support', 'billing', 'triage', 'search', 'summary', 'legal'][a % 10 + 1],
        '-agent-', leftPad(toString(a), 2, '0'), suffix)) AS agent_name,
    if(model = 255, '', concat(
        ['gpt-4o', 'gpt-4o-mini', 'claude-sonnet-4-5', 'claude-haiku-4-5', 'gemini-2.0-flash', 'llama-3.3-70b-versatile', 'mistral-large', 'qwen-2.5-72b'][model + 1],
        suffix)) AS model_name,
    if(model = 255, '', ['openai', 'openai', 'anthropic', 'anthropic', 'gcp.vertex_ai', 'groq', 'mistral_ai', 'alibaba'][model + 1]) AS provider,
    if(tool = 255, '', concat(['sql', 'http', 'search', 'file', 'calc', 'email', 'crm', 'vector'][tool % 8 + 1], '_tool_', toString(tool))) AS tool_name,
    ['', 'rate_limit', 'timeout', 'content_filter', 'tool_error', 'tool_timeout', 'agent_failed'][error + 1] AS error_type,
    if(only_organization != '', only_organization, ['acme', 'globex', 'initech'][organization + 1]) AS organization_name,
    ['acme-prod', 'acme-labs', 'globex-main', 'globex-edge', 'initech-a', 'initech-b'][project + 1] AS project_name,
    concat('agents-', toString(agent % 12)) AS service,
    concat('sess-', toString(session), '-', toString(replica)) AS session_name,
    kind = 2 AS is_call,
    start + toIntervalMicrosecond(least(trace_us, {within_us:UInt64}) + least(offset_us, {within_us:UInt64})) AS started_at,
    if(is_call, spyglass_cost_nano_usd(
        'llm', provider, model_name, started_at, input_tokens::Nullable(UInt64), output_tokens::Nullable(UInt64),
        if(cache_read_tokens > 0, cache_read_tokens, NULL)::Nullable(UInt64), NULL::Nullable(UInt64),
        NULL::Nullable(UInt64)), NULL) AS cost
SELECT
    started_at AS Timestamp,
    lower(hex(sipHash128(trace_no, replica, 1))) AS TraceId,
    id(span_no) AS SpanId,
    if(parent_no = 65535, '', id(parent_no)) AS ParentSpanId,
    '' AS TraceState,
    multiIf(
        kind = 0, 'invoke_workflow support-flow', kind = 1, concat('invoke_agent ', agent_name(agent)),
        is_call, concat('chat ', model_name), kind = 3, concat('execute_tool ', tool_name), 'retrieval kb') AS SpanName,
    if(is_call, 'Client', 'Internal') AS SpanKind,
    service AS ServiceName,
    map(
        'service.name', service, 'service.namespace', project_name, 'service.version', '1.4.2',
        'deployment.environment.name', 'prod', 'telemetry.sdk.language', 'python', 'telemetry.sdk.name', 'opentelemetry',
        'telemetry.sdk.version', '1.45.2', 'host.name', concat('node-', toString(trace_no % 40)),
        'k8s.pod.name', concat(service, '-', toString(trace_no % 97)), 'spyglass.organization', organization_name,
        'spyglass.project', project_name)::Map(LowCardinality(String), String) AS ResourceAttributes,
    'spyglass.instrumentation' AS ScopeName,
    '0.3.1' AS ScopeVersion,
    mapFilter((k, v) -> v != '', map(
        'spyglass.kind', ['workflow', 'agent', 'llm', 'tool', 'retrieval'][kind + 1],
        'spyglass.dialect', 'spyglass',
        'gen_ai.operation.name', ['invoke_workflow', 'invoke_agent', 'chat', 'execute_tool', 'retrieval'][kind + 1],
        'gen_ai.workflow.name', 'support-flow',
        'gen_ai.agent.name', agent_name(agent),
        'gen_ai.agent.id', if(agent >= 254, '', toString(sipHash64(agent))),
        'gen_ai.conversation.id', session_name,
        'session.id', session_name,
        'user.id', concat('user-', toString(user)),
        'spyglass.execution.id', if(execution_no = 65535, '', id(execution_no)),
        'spyglass.agent.parent.name', if(kind = 1, agent_name(caller), ''),
        'gen_ai.provider.name', provider,
        'gen_ai.request.model', model_name,
        'gen_ai.response.model', model_name,
        'gen_ai.usage.input_tokens', if(is_call, toString(input_tokens), ''),
        'gen_ai.usage.output_tokens', if(is_call, toString(output_tokens), ''),
        'gen_ai.usage.cache_read.input_tokens', if(cache_read_tokens > 0, toString(cache_read_tokens), ''),
        'spyglass.usage.source', if(is_call, 'reported', ''),
        'spyglass.cost.amount', if(cost IS NULL, '', toString(cost / 1e9)),
        'gen_ai.request.temperature', if(is_call, '0.2', ''),
        'gen_ai.request.max_tokens', if(is_call, '4096', ''),
        'gen_ai.response.id', if(is_call, concat('chatcmpl-', hex(sipHash64(trace_no, replica, span_no, 9))), ''),
        'gen_ai.response.finish_reasons', if(is_call, if(output_tokens = 0, '["error"]', '["stop"]'), ''),
        'gen_ai.response.time_to_first_chunk', if(is_call, toString(first_us / 1e6), ''),
        'server.address', if(is_call, concat('api.', provider, '.com'), ''),
        'gen_ai.tool.name', tool_name,
        'gen_ai.tool.type', if(kind = 3, 'function', ''),
        'gen_ai.tool.call.id', if(kind = 3, concat('call_', hex(sipHash64(trace_no, replica, span_no, 8))), ''),
        'gen_ai.tool.call.arguments', if(kind = 3, body_in, ''),
        'gen_ai.tool.call.result', if(kind = 3, body_out, ''),
        'gen_ai.input.messages', if(is_call, body_in, ''),
        'gen_ai.output.messages', if(is_call, body_out, ''),
        'gen_ai.retrieval.query.text', if(kind = 4, body_in, ''),
        'spyglass.queue.wait', if(queue_us > 0, toString(queue_us / 1e6), ''),
        'error.type', error_type))::Map(LowCardinality(String), String) AS SpanAttributes,
    toUInt64(duration_us) * 1000 AS Duration,
    if(failed, 'Error', 'Unset') AS StatusCode,
    if(failed, concat('failed: ', error_type), '') AS StatusMessage
FROM
(
    SELECT base.*, chosen.2 AS replica, fromUnixTimestamp64Nano(chosen.3, 'UTC') AS start
    FROM (SELECT * FROM bench.base WHERE base_day IN {days:Array(UInt8)} AND $where) AS base
    ARRAY JOIN arrayFilter(
        c -> c.1 = base_day,
        arrayZip({days:Array(UInt8)}, {replicas:Array(UInt16)}, {begins_ns:Array(Int64)})) AS chosen
)
