-- What each trace did in each minute: its spans, grouped by who did what; and rows of their own for hand-overs, and for
-- usage that a span which is no call reports. What is the inner or the second side of a call is a task.
SELECT
    organization, project, minute, trace_id,
    row_number() OVER (PARTITION BY organization, project, minute, trace_id ORDER BY agent, kind, tool, model) AS part,
    environment, service, release, demo, user_id, agent, kind, peer, inferred_from,
    provider, model, tool, status, error_type, toUInt32(countIf(is_counted)) AS calls,
    arraySort(groupArrayIf(s.duration_ns, role != 'usage')) AS durations_ns,
    arraySort(groupArray(toFloat32(s.queue_wait_seconds))) AS queue_waits_seconds, sum(s.input_tokens) AS input_tokens,
    sum(s.output_tokens) AS output_tokens, sum(s.cache_read_tokens) AS cache_read_tokens,
    sum(s.cache_write_tokens) AS cache_write_tokens, sum(s.reasoning_tokens) AS reasoning_tokens,
    toUInt32(countIf(without_usage)) AS calls_without_usage, sum(s.cost_nano_usd) AS cost_nano_usd,
    toUInt32(countIf(unpriced)) AS unpriced_calls,
    sumIf(ifNull(s.input_tokens, 0) + ifNull(s.output_tokens, 0), unpriced) AS unpriced_tokens,
    sum(s.reported_cost_nano_usd) AS reported_cost_nano_usd
FROM
(
    SELECT
        organization, project, toStartOfMinute(toDateTime(timestamp, 'UTC')) AS minute, trace_id, environment, service,
        release, demo, if(o.user_id != '', o.user_id, e.execution_user) AS user_id,
        multiIf(
            role = 'handoff', target_agent, o.kind = 'agent', o.agent, e.agent_name != '', e.agent_name, o.agent != '', o.agent,
            o.parent_agent
        ) AS agent,
        multiIf(
            role = 'handoff', 'handoff',
            role = 'usage', call_kind,
            o.kind IN ('llm', 'embedding') AND NOT is_call OR o.kind = 'tool' AND NOT counts_tool, 'task',
            o.kind
        ) AS kind,
        multiIf(role = 'handoff', source_agent, o.kind = 'agent' AND role = 'span', e.caller_agent, '') AS peer,
        if(role = 'span' OR o.kind != 'agent' AND role = 'usage', o.inferred_from, '') AS inferred_from,
        role, role != 'usage' OR counts_call AS is_counted,
        role = 'usage' OR role = 'span' AND o.kind IN ('llm', 'embedding') AND is_call AS counts,
        counts AND owns_usage AS owns,
        counts_call OR owns_usage AS is_call,
        if(counts, o.provider, '') AS provider, if(counts, o.model, '') AS model, if(kind = 'tool', o.tool, '') AS tool,
        status, error_type, duration_ns, if(role = 'span', o.queue_wait_seconds, NULL) AS queue_wait_seconds,
        if(owns, o.input_tokens, NULL) AS input_tokens, if(owns, o.output_tokens, NULL) AS output_tokens,
        if(owns, o.cache_read_tokens, NULL) AS cache_read_tokens,
        if(owns, o.cache_write_tokens, NULL) AS cache_write_tokens,
        if(owns, o.reasoning_tokens, NULL) AS reasoning_tokens, if(owns, o.cost_nano_usd, NULL) AS cost_nano_usd,
        if(counts, o.reported_cost_nano_usd, NULL) AS reported_cost_nano_usd,
        o.without_usage AND counts AS without_usage, o.unpriced AND counts AS unpriced
    FROM spyglass.$run_owners AS o
    LEFT JOIN
    (
        SELECT
            trace_id AS of_trace, execution_id AS of_execution, agent AS agent_name, user_id AS execution_user,
            parent_agent AS caller_agent
        FROM spyglass.$run_executions
    ) AS e ON of_trace = o.execution_trace AND of_execution = o.execution
    ARRAY JOIN arrayFilter(role -> role != '', [
        'span',
        if(o.source_agent != '' AND o.target_agent != '', 'handoff', ''),
        if((counts_call OR owns_usage) AND o.kind NOT IN ('llm', 'embedding'), 'usage', '')
    ]) AS role
) AS s
GROUP BY
    organization, project, minute, trace_id, environment, service, release, demo, user_id, agent, kind, peer, inferred_from,
    provider, model, tool, status, error_type
