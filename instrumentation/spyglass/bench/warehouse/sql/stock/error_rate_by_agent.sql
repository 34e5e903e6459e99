SELECT SpanAttributes['gen_ai.agent.name'] AS agent, count() AS calls, countIf(StatusCode = 'Error') AS errors,
    errors / calls AS error_share
FROM otel_traces
WHERE Timestamp >= {since:DateTime('UTC')} AND Timestamp < {until:DateTime('UTC')}
    AND ResourceAttributes['spyglass.organization'] = {organization:String}
    AND startsWith(SpanName, 'invoke_agent ')
GROUP BY agent
ORDER BY agent
