WITH
    startsWith(SpanName, 'invoke_agent ') AS is_agent,
    startsWith(SpanName, 'chat ') AS is_call,
    toUInt64OrNull(SpanAttributes['gen_ai.usage.input_tokens']) AS input,
    toUInt64OrNull(SpanAttributes['gen_ai.usage.output_tokens']) AS output,
    toInt64(round(toFloat64OrNull(SpanAttributes['spyglass.cost.amount']) * 1e9)) AS cost,
    (input IS NOT NULL OR output IS NOT NULL) AS has_usage
SELECT
    uniqExactIf(TraceId, is_agent) AS runs, countIf(is_agent) AS executions,
    countIf(is_agent AND StatusCode = 'Error') AS errors, 1 - errors / nullIf(executions, 0) AS success_ratio,
    uniqExactIf(SpanAttributes['user.id'], SpanAttributes['user.id'] != '') AS users, countIf(is_call) AS model_calls,
    sum(input) AS input_tokens, sum(output) AS output_tokens, sum(cost) AS cost_nano_usd,
    countIf(is_call AND NOT has_usage AND StatusCode != 'Error') AS calls_without_usage,
    countIf(has_usage AND cost IS NULL) AS unpriced_calls,
    1 - (unpriced_calls + calls_without_usage) / nullIf(model_calls, 0) AS priced_call_ratio,
    1 - sumIf(ifNull(input, 0) + ifNull(output, 0), cost IS NULL)
        / nullIf(ifNull(input_tokens, 0) + ifNull(output_tokens, 0), 0) AS priced_token_ratio
FROM otel_traces
WHERE Timestamp >= {since:DateTime64(3, 'UTC')} AND Timestamp < {until:DateTime64(3, 'UTC')}
    AND ResourceAttributes['spyglass.organization'] = {organization:String}
    AND (is_agent OR is_call)
