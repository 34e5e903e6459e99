WITH arraySort(groupArray(Duration)) AS sorted
SELECT
    ResourceAttributes['spyglass.organization'] AS organization, ResourceAttributes['spyglass.project'] AS project,
    ServiceName AS service, SpanAttributes['gen_ai.agent.name'] AS agent, count() AS executions,
    sorted[toUInt32(ceil(0.5 * executions))] / 1e9 AS p50_seconds,
    sorted[toUInt32(ceil(0.95 * executions))] / 1e9 AS p95_seconds,
    sorted[toUInt32(ceil(0.99 * executions))] / 1e9 AS p99_seconds,
    max(Duration) / 1e9 AS max_seconds, sum(Duration) / executions / 1e9 AS mean_seconds
FROM otel_traces
WHERE Timestamp >= {since:DateTime64(3, 'UTC')} AND Timestamp < {until:DateTime64(3, 'UTC')}
    AND ResourceAttributes['spyglass.organization'] = {organization:String}
    AND startsWith(SpanName, 'invoke_agent ')
GROUP BY organization, project, service, agent
ORDER BY p95_seconds DESC, organization, project, service, agent
