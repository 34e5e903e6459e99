WITH arraySort(groupArray(Duration)) AS sorted
SELECT
    ResourceAttributes['spyglass.organization'] AS organization, ResourceAttributes['spyglass.project'] AS project,
    SpanAttributes['gen_ai.tool.name'] AS tool, count() AS calls,
    sorted[toUInt32(ceil(0.5 * calls))] / 1e9 AS p50_seconds,
    sorted[toUInt32(ceil(0.95 * calls))] / 1e9 AS p95_seconds,
    sorted[toUInt32(ceil(0.99 * calls))] / 1e9 AS p99_seconds,
    max(Duration) / 1e9 AS max_seconds
FROM otel_traces
WHERE Timestamp >= {since:DateTime64(3, 'UTC')} AND Timestamp < {until:DateTime64(3, 'UTC')}
    AND ResourceAttributes['spyglass.organization'] = {organization:String}
    AND startsWith(SpanName, 'execute_tool ')
GROUP BY organization, project, tool
ORDER BY p95_seconds DESC, organization, project, tool
LIMIT {limit:UInt32}
