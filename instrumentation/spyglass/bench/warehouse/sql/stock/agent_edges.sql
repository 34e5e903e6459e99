SELECT SpanAttributes['spyglass.agent.parent.name'] AS caller, SpanAttributes['gen_ai.agent.name'] AS callee, count() AS calls,
    countIf(StatusCode = 'Error') AS errors, sum(Duration) AS duration_ns
FROM otel_traces
WHERE Timestamp >= {since:DateTime('UTC')} AND Timestamp < {until:DateTime('UTC')}
    AND ResourceAttributes['spyglass.organization'] = {organization:String}
    AND startsWith(SpanName, 'invoke_agent ') AND caller != ''
GROUP BY caller, callee
ORDER BY caller, callee
