-- One row for each execution: what its agent's span says of it, and the sums over its spans. Without that span (swept)
-- its first span speaks for it. What it used is what the agent's span says, which includes its other spans, else the sum
-- over those. A resource costs what an hour of it did when the execution began, on its host or, without a price for that,
-- on any.
CREATE TABLE spyglass.$run_executions ENGINE = Memory AS
WITH
    (
        SELECT arraySort(p -> (p.2 = ''), groupArray((resource, label, valid_from, valid_to, nano_usd)))
        FROM spyglass.resource_prices FINAL
    ) AS hours,
    (resource, used) -> arrayMap(
        p -> if(p.1 = '' OR used IS NULL, NULL, toInt64(round(used * p.5 / 3600))),
        [arrayFirst(p -> p.1 = resource AND p.2 IN (host, '') AND started_at >= p.3 AND started_at < p.4, hours)]
    )[1] AS cost
SELECT
    s.organization AS organization, s.project AS project, s.environment AS environment, s.service AS service,
    s.release AS release, s.instance AS instance, s.host AS host, s.demo AS demo,
    multiIf(closes, s.agent, s.parent_agent != '', s.parent_agent, s.agent != '', s.agent, s.service) AS agent,
    s.agent_id AS agent_id, s.agent_version AS agent_version, s.framework AS framework,
    s.framework_version AS framework_version, s.dialect AS dialect,
    if(closes, s.timestamp, first_start) AS started_at,
    if(closes, s.timestamp + toIntervalNanosecond(s.duration_ns), last_end) AS ended_at,
    s.execution AS execution_id, s.execution_trace AS trace_id, if(closes, s.caller_execution, '') AS parent_execution_id,
    if(closes AND s.caller_trace != s.trace_id, s.caller_trace, '') AS parent_trace_id,
    if(closes, callers.caller_agent, '') AS parent_agent, if(closes, s.inferred_from, '') AS inferred_from,
    s.workflow AS workflow, s.user_id AS user_id,
    s.session_id AS session_id, s.conversation_id AS conversation_id,
    multiIf(closes, s.status, failed, 'error', 'unset') AS status,
    if(closes, s.error_type, first_error_type) AS error_type, spans, llm_calls, llm_errors, tool_calls, tool_errors,
    retrievals, models, llm_ns, tool_ns, s.queue_wait_seconds AS queue_wait_seconds, sums.input_tokens AS input_tokens,
    sums.output_tokens AS output_tokens, sums.cache_read_tokens AS cache_read_tokens,
    sums.cache_write_tokens AS cache_write_tokens, sums.reasoning_tokens AS reasoning_tokens, calls_without_usage,
    token_cost_nano_usd, unpriced_calls, sums.reported_cost_nano_usd AS reported_cost_nano_usd,
    if(closes AND s.cpu_core_seconds IS NOT NULL, s.cpu_core_seconds, sums.cpu_core_seconds) AS cpu_core_seconds,
    if(closes AND s.memory_gb_seconds IS NOT NULL, s.memory_gb_seconds, sums.memory_gb_seconds) AS memory_gb_seconds,
    if(closes AND s.gpu_seconds IS NOT NULL, s.gpu_seconds, sums.gpu_seconds) AS gpu_seconds,
    if(closes AND s.network_receive_bytes IS NOT NULL, s.network_receive_bytes, sums.network_receive_bytes)
        AS network_receive_bytes,
    if(closes AND s.network_transmit_bytes IS NOT NULL, s.network_transmit_bytes, sums.network_transmit_bytes)
        AS network_transmit_bytes,
    cost('cpu_core_hour', cpu_core_seconds) AS cpu_cost_nano_usd,
    cost('memory_gb_hour', memory_gb_seconds) AS memory_cost_nano_usd, cost('gpu_hour', gpu_seconds) AS gpu_cost_nano_usd,
    if(closes, 'agent', 'sweeper') AS closed_by
FROM
(
    SELECT
        tree,
        execution_trace,
        execution,
        argMin(o.place, (NOT closes, timestamp, o.place)) AS speaker,
        min(timestamp) AS first_start,
        max(timestamp + toIntervalNanosecond(duration_ns)) AS last_end,
        countIf(status = 'error') > 0 AS failed,
        argMinIf(error_type, timestamp, status = 'error') AS first_error_type,
        toUInt32(count()) AS spans,
        toUInt32(countIf(counts_call)) AS llm_calls,
        toUInt32(countIf(counts_call AND status = 'error')) AS llm_errors,
        toUInt32(countIf(counts_tool)) AS tool_calls,
        toUInt32(countIf(counts_tool AND status = 'error')) AS tool_errors,
        toUInt32(countIf(kind = 'retrieval')) AS retrievals,
        arraySort(groupUniqArrayIf(model, (counts_call OR owns_usage) AND model != '')) AS models,
        sumIf(duration_ns, counts_call AND kind IN ('llm', 'embedding')) AS llm_ns,
        sumIf(duration_ns, counts_tool) AS tool_ns,
        sumIf(o.input_tokens, owns_usage) AS input_tokens,
        sumIf(o.output_tokens, owns_usage) AS output_tokens,
        sumIf(o.cache_read_tokens, owns_usage) AS cache_read_tokens,
        sumIf(o.cache_write_tokens, owns_usage) AS cache_write_tokens,
        sumIf(o.reasoning_tokens, owns_usage) AS reasoning_tokens,
        toUInt32(countIf(without_usage)) AS calls_without_usage,
        sumIf(cost_nano_usd, owns_usage) AS token_cost_nano_usd,
        toUInt32(countIf(unpriced)) AS unpriced_calls,
        sumIf(o.reported_cost_nano_usd, counts_call OR owns_usage) AS reported_cost_nano_usd,
        sum(o.cpu_core_seconds) AS cpu_core_seconds,
        sum(o.memory_gb_seconds) AS memory_gb_seconds,
        sum(o.gpu_seconds) AS gpu_seconds,
        sum(o.network_receive_bytes) AS network_receive_bytes,
        sum(o.network_transmit_bytes) AS network_transmit_bytes
    FROM spyglass.$run_owners AS o
    WHERE execution != ''
    GROUP BY tree, execution_trace, execution
    HAVING max(closes) OR max(swept)
) AS sums
INNER JOIN spyglass.$run_owners AS s ON s.tree = sums.tree AND s.place = sums.speaker
LEFT JOIN
(
    SELECT trace_id AS of_trace, span_id AS of_span, agent AS caller_agent FROM spyglass.$run_owners WHERE closes
) AS callers ON of_trace = s.caller_trace AND of_span = s.caller_execution;
