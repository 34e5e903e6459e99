SELECT countIf(startsWith(SpanName, 'invoke_workflow ')) AS runs, countIf(startsWith(SpanName, 'invoke_agent ')) AS executions,
    countIf(startsWith(SpanName, 'invoke_agent ') AND StatusCode = 'Error') AS errors,
    sum(toUInt64OrNull(SpanAttributes['gen_ai.usage.input_tokens'])) AS input_tokens,
    sum(toUInt64OrNull(SpanAttributes['gen_ai.usage.output_tokens'])) AS output_tokens,
    sum(toInt64(round(toFloat64OrNull(SpanAttributes['spyglass.cost.amount']) * 1e9))) AS cost_nano_usd,
    uniqExact(SpanAttributes['user.id']) AS users
FROM otel_traces
WHERE Timestamp >= {since:DateTime('UTC')} AND Timestamp < {until:DateTime('UTC')}
    AND ResourceAttributes['spyglass.organization'] = {organization:String}
