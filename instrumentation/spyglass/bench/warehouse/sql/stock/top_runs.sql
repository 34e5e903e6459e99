SELECT TraceId AS trace_id, sum(toInt64(round(toFloat64OrNull(SpanAttributes['spyglass.cost.amount']) * 1e9))) AS cost_nano_usd,
    countIf(startsWith(SpanName, 'chat ')) AS llm_calls
FROM otel_traces
WHERE Timestamp >= {since:DateTime('UTC')} AND Timestamp < {until:DateTime('UTC')}
    AND ResourceAttributes['spyglass.organization'] = {organization:String}
GROUP BY trace_id
ORDER BY cost_nano_usd DESC NULLS LAST, trace_id
LIMIT 10
