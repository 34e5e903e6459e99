WITH arraySort(groupArray(toFloat64OrNull(SpanAttributes['spyglass.queue.wait']))) AS waits
SELECT
    ResourceAttributes['spyglass.organization'] AS organization, ResourceAttributes['spyglass.project'] AS project,
    ServiceName AS service, SpanAttributes['gen_ai.agent.name'] AS agent, count() AS executions,
    if(empty(waits), NULL, waits[toUInt32(ceil(0.5 * length(waits)))]) AS p50_seconds,
    if(empty(waits), NULL, waits[toUInt32(ceil(0.95 * length(waits)))]) AS p95_seconds,
    if(empty(waits), NULL, waits[toUInt32(ceil(0.99 * length(waits)))]) AS p99_seconds
FROM otel_traces
WHERE Timestamp >= {since:DateTime64(3, 'UTC')} AND Timestamp < {until:DateTime64(3, 'UTC')}
    AND ResourceAttributes['spyglass.organization'] = {organization:String}
    AND startsWith(SpanName, 'invoke_agent ')
GROUP BY organization, project, service, agent
ORDER BY p95_seconds DESC NULLS LAST, organization, project, service, agent
