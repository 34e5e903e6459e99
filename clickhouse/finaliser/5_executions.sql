-- One row for each execution: what its agent's span says of it, and the sums over its spans. Without that span (swept)
-- its first span speaks for it. What it used is what the agent's span says, which includes its other spans, else the sum
-- over those. A resource costs what an hour of it did when the execution began, on its host or, without a price for that,
-- on any.
CREATE TABLE spyglass.$run_executions ENGINE = Memory AS
WITH
    (NOT o.closes, o.timestamp, o.span_id) AS rank,
    (
        SELECT arraySort(p -> (p.2 = ''), groupArray((resource, label, valid_from, valid_to, nano_usd)))
        FROM spyglass.resource_prices FINAL
    ) AS hours,
    (resource, used) -> arrayMap(
        p -> if(p.1 = '' OR used IS NULL, NULL, toInt64(round(used * p.5 / 3600))),
        [arrayFirst(p -> p.1 = resource AND p.2 IN (host, '') AND started_at >= p.3 AND started_at < p.4, hours)]
    )[1] AS cost
SELECT
    argMin(o.organization, rank) AS organization,
    argMin(o.project, rank) AS project,
    argMin(o.environment, rank) AS environment,
    argMin(o.service, rank) AS service,
    argMin(o.release, rank) AS release,
    argMin(o.instance, rank) AS instance,
    argMin(o.host, rank) AS host,
    argMin(o.demo, rank) AS demo,
    argMin(multiIf(closes, o.agent, o.parent_agent != '', o.parent_agent, o.agent != '', o.agent, o.service), rank) AS agent,
    argMin(o.agent_id, rank) AS agent_id,
    argMin(o.agent_version, rank) AS agent_version,
    argMin(o.dialect, rank) AS dialect,
    if(max(closes), argMin(o.timestamp, rank), min(o.timestamp)) AS started_at,
    if(max(closes), argMin(o.timestamp + toIntervalNanosecond(o.duration_ns), rank), max(o.timestamp + toIntervalNanosecond(o.duration_ns))) AS ended_at,
    execution AS execution_id,
    trace_id,
    argMin(if(closes, caller_execution, ''), rank) AS parent_execution_id,
    argMin(if(closes, callers.caller_agent, ''), rank) AS parent_agent,
    argMin(o.workflow, rank) AS workflow,
    argMin(o.user_id, rank) AS user_id,
    argMin(o.session_id, rank) AS session_id,
    argMin(o.conversation_id, rank) AS conversation_id,
    multiIf(max(closes), argMin(o.status, rank), countIf(o.status = 'error') > 0, 'error', 'unset') AS status,
    if(max(closes), argMin(o.error_type, rank), anyIf(o.error_type, o.status = 'error')) AS error_type,
    toUInt32(count()) AS spans,
    toUInt32(countIf(owns_call)) AS llm_calls,
    toUInt32(countIf(owns_call AND o.status = 'error')) AS llm_errors,
    toUInt32(countIf(o.kind = 'tool')) AS tool_calls,
    toUInt32(countIf(o.kind = 'tool' AND o.status = 'error')) AS tool_errors,
    toUInt32(countIf(o.kind = 'retrieval')) AS retrievals,
    arraySort(groupUniqArrayIf(o.model, owns_call AND o.model != '')) AS models,
    sumIf(o.duration_ns, owns_call) AS llm_ns,
    sumIf(o.duration_ns, o.kind = 'tool') AS tool_ns,
    argMin(o.queue_wait_seconds, rank) AS queue_wait_seconds,
    sumIf(o.input_tokens, owns_call) AS input_tokens,
    sumIf(o.output_tokens, owns_call) AS output_tokens,
    sumIf(o.cache_read_tokens, owns_call) AS cache_read_tokens,
    sumIf(o.cache_write_tokens, owns_call) AS cache_write_tokens,
    sumIf(o.reasoning_tokens, owns_call) AS reasoning_tokens,
    toUInt32(countIf(owns_call AND o.input_tokens IS NULL AND o.output_tokens IS NULL AND o.status != 'error')) AS calls_without_usage,
    sumIf(o.cost_nano_usd, owns_call) AS token_cost_nano_usd,
    toUInt32(countIf(owns_call AND o.cost_nano_usd IS NULL AND NOT (o.input_tokens IS NULL AND o.output_tokens IS NULL))) AS unpriced_calls,
    sumIf(o.reported_cost_nano_usd, owns_call) AS reported_cost_nano_usd,
    ifNull(argMinIf(o.cpu_core_seconds, rank, closes), sum(o.cpu_core_seconds)) AS cpu_core_seconds,
    ifNull(argMinIf(o.memory_gb_seconds, rank, closes), sum(o.memory_gb_seconds)) AS memory_gb_seconds,
    ifNull(argMinIf(o.gpu_seconds, rank, closes), sum(o.gpu_seconds)) AS gpu_seconds,
    ifNull(argMinIf(o.network_receive_bytes, rank, closes), sum(o.network_receive_bytes)) AS network_receive_bytes,
    ifNull(argMinIf(o.network_transmit_bytes, rank, closes), sum(o.network_transmit_bytes)) AS network_transmit_bytes,
    cost('cpu_core_hour', cpu_core_seconds) AS cpu_cost_nano_usd,
    cost('memory_gb_hour', memory_gb_seconds) AS memory_cost_nano_usd,
    cost('gpu_hour', gpu_seconds) AS gpu_cost_nano_usd,
    if(max(closes), 'agent', 'sweeper') AS closed_by
FROM spyglass.$run_owners AS o
LEFT JOIN
(
    SELECT trace_id AS of_trace, span_id AS of_span, agent AS caller_agent FROM spyglass.$run_owners WHERE closes
) AS callers ON of_trace = o.trace_id AND of_span = o.caller_execution
WHERE execution != ''
GROUP BY trace_id, execution
HAVING max(closes) OR max(swept);
