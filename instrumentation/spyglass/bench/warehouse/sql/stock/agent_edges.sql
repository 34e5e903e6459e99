WITH
    multiIf(
        startsWith(SpanName, 'invoke_agent '), 'agent', startsWith(SpanName, 'execute_tool '), 'tool',
        startsWith(SpanName, 'chat '), 'model', '') AS callee_kind,
    arraySort(groupArray(Duration)) AS sorted
SELECT
    ResourceAttributes['spyglass.organization'] AS organization, ResourceAttributes['spyglass.project'] AS project,
    if(callee_kind = 'agent', SpanAttributes['spyglass.agent.parent.name'], SpanAttributes['gen_ai.agent.name']) AS caller,
    callee_kind,
    multiIf(
        callee_kind = 'agent', SpanAttributes['gen_ai.agent.name'], callee_kind = 'tool', SpanAttributes['gen_ai.tool.name'],
        SpanAttributes['gen_ai.response.model'] != '', SpanAttributes['gen_ai.response.model'],
        SpanAttributes['gen_ai.request.model']) AS callee,
    count() AS calls, countIf(StatusCode = 'Error') AS errors, errors / calls AS error_ratio,
    sum(Duration) / calls / 1e9 AS mean_seconds, sorted[toUInt32(ceil(0.95 * calls))] / 1e9 AS p95_seconds,
    max(Duration) / 1e9 AS max_seconds, sum(toUInt64OrNull(SpanAttributes['gen_ai.usage.input_tokens'])) AS input_tokens,
    sum(toUInt64OrNull(SpanAttributes['gen_ai.usage.output_tokens'])) AS output_tokens,
    sum(toInt64(round(toFloat64OrNull(SpanAttributes['spyglass.cost.amount']) * 1e9))) AS cost_nano_usd
FROM otel_traces
WHERE Timestamp >= {since:DateTime64(3, 'UTC')} AND Timestamp < {until:DateTime64(3, 'UTC')}
    AND ResourceAttributes['spyglass.organization'] = {organization:String}
    AND callee_kind != '' AND caller != '' AND callee != ''
GROUP BY organization, project, caller, callee_kind, callee
ORDER BY calls DESC, organization, project, caller, callee_kind, callee
