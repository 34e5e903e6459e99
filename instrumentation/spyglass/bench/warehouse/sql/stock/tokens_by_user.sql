WITH
    toUInt64OrNull(SpanAttributes['gen_ai.usage.input_tokens']) AS input,
    toUInt64OrNull(SpanAttributes['gen_ai.usage.output_tokens']) AS output,
    toInt64(round(toFloat64OrNull(SpanAttributes['spyglass.cost.amount']) * 1e9)) AS cost,
    (input IS NOT NULL OR output IS NOT NULL) AS has_usage
SELECT
    ResourceAttributes['spyglass.organization'] AS organization, ResourceAttributes['spyglass.project'] AS project,
    SpanAttributes['user.id'] AS user_id, count() AS calls, sum(input) AS input_tokens, sum(output) AS output_tokens,
    sum(cost) AS cost_nano_usd, countIf(has_usage AND cost IS NULL) AS unpriced_calls
FROM otel_traces
WHERE Timestamp >= {since:DateTime64(3, 'UTC')} AND Timestamp < {until:DateTime64(3, 'UTC')}
    AND ResourceAttributes['spyglass.organization'] = {organization:String}
    AND startsWith(SpanName, 'chat ')
GROUP BY organization, project, user_id
ORDER BY ifNull(input_tokens, 0) + ifNull(output_tokens, 0) DESC, organization, project, user_id
LIMIT {limit:UInt32}
