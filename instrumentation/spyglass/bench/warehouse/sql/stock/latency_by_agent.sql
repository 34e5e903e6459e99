SELECT SpanAttributes['gen_ai.agent.name'] AS agent, count() AS calls, q[1] / 1e9 AS p50_seconds, q[2] / 1e9 AS p95_seconds,
    quantilesExactLow(0.5, 0.95)(Duration) AS q
FROM otel_traces
WHERE Timestamp >= {since:DateTime('UTC')} AND Timestamp < {until:DateTime('UTC')}
    AND ResourceAttributes['spyglass.organization'] = {organization:String}
    AND startsWith(SpanName, 'invoke_agent ')
GROUP BY agent
ORDER BY agent
