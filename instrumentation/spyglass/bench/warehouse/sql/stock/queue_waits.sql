SELECT SpanAttributes['gen_ai.agent.name'] AS agent, count() AS calls,
    arraySort(groupArray(toFloat64OrNull(SpanAttributes['spyglass.queue.wait']))) AS sorted,
    sorted[toUInt32(ceil(0.5 * length(sorted)))] AS p50_seconds, sorted[toUInt32(ceil(0.95 * length(sorted)))] AS p95_seconds
FROM otel_traces
WHERE Timestamp >= {since:DateTime('UTC')} AND Timestamp < {until:DateTime('UTC')}
    AND ResourceAttributes['spyglass.organization'] = {organization:String}
    AND startsWith(SpanName, 'invoke_agent ')
GROUP BY agent
ORDER BY agent
