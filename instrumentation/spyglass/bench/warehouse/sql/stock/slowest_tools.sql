SELECT SpanAttributes['gen_ai.tool.name'] AS tool, count() AS calls,
    arraySort(groupArray(Duration))[toUInt32(ceil(0.95 * calls))] / 1e9 AS p95_seconds
FROM otel_traces
WHERE Timestamp >= {since:DateTime('UTC')} AND Timestamp < {until:DateTime('UTC')}
    AND ResourceAttributes['spyglass.organization'] = {organization:String}
    AND startsWith(SpanName, 'execute_tool ')
GROUP BY tool
ORDER BY p95_seconds DESC, tool
