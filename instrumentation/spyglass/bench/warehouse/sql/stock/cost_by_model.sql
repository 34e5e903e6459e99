SELECT SpanAttributes['gen_ai.response.model'] AS model, toStartOfHour(Timestamp) AS hour,
    sum(toInt64(round(toFloat64OrNull(SpanAttributes['spyglass.cost.amount']) * 1e9))) AS cost_nano_usd
FROM otel_traces
WHERE Timestamp >= {since:DateTime('UTC')} AND Timestamp < {until:DateTime('UTC')}
    AND ResourceAttributes['spyglass.organization'] = {organization:String}
    AND startsWith(SpanName, 'chat ')
GROUP BY model, hour
ORDER BY model, hour
