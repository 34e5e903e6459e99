SELECT SpanAttributes['gen_ai.agent.name'] AS agent, count() AS calls, q[1] AS p50_seconds, q[2] AS p95_seconds,
    quantilesExactLow(0.5, 0.95)(toFloat64OrNull(SpanAttributes['spyglass.queue.wait'])) AS q
FROM otel_traces
WHERE Timestamp >= {since:DateTime('UTC')} AND Timestamp < {until:DateTime('UTC')}
    AND ResourceAttributes['spyglass.organization'] = {organization:String}
    AND startsWith(SpanName, 'invoke_agent ')
GROUP BY agent
ORDER BY agent
