-- An execution counts with all its calls where its agent's span began in the range.
SELECT
    trace_id, any(e.organization) AS organization, any(e.project) AS project, arraySort(groupUniqArray(agent)) AS agents,
    min(e.started_at) AS started_at,
    (toUnixTimestamp64Nano(max(ended_at)) - toUnixTimestamp64Nano(min(e.started_at))) / 1e9 AS duration_seconds,
    count() AS executions, countIf(failed) AS errors, sum(e.input_tokens) AS input_tokens,
    sum(e.output_tokens) AS output_tokens, sum(cost) AS token_cost_nano_usd, sum(cost) AS total_cost_nano_usd,
    sum(e.unpriced_calls) AS unpriced_calls
FROM
(
    WITH
        startsWith(SpanName, 'invoke_agent ') AS is_agent,
        toUInt64OrNull(SpanAttributes['gen_ai.usage.input_tokens']) AS input,
        toUInt64OrNull(SpanAttributes['gen_ai.usage.output_tokens']) AS output,
        toInt64(round(toFloat64OrNull(SpanAttributes['spyglass.cost.amount']) * 1e9)) AS span_cost
    SELECT
        TraceId AS trace_id, any(ResourceAttributes['spyglass.organization']) AS organization,
        any(ResourceAttributes['spyglass.project']) AS project, anyIf(SpanAttributes['gen_ai.agent.name'], is_agent) AS agent,
        minIf(Timestamp, is_agent) AS started_at, maxIf(Timestamp + toIntervalNanosecond(Duration), is_agent) AS ended_at,
        countIf(is_agent AND StatusCode = 'Error') > 0 AS failed, sum(input) AS input_tokens, sum(output) AS output_tokens,
        sum(span_cost) AS cost,
        countIf((input IS NOT NULL OR output IS NOT NULL) AND span_cost IS NULL) AS unpriced_calls
    FROM otel_traces
    WHERE Timestamp >= {since:DateTime64(3, 'UTC')} AND (is_agent OR startsWith(SpanName, 'chat '))
        AND ResourceAttributes['spyglass.organization'] = {organization:String}
    GROUP BY trace_id, SpanAttributes['spyglass.execution.id']
    HAVING countIf(is_agent AND Timestamp < {until:DateTime64(3, 'UTC')}) > 0
) AS e
GROUP BY trace_id
ORDER BY total_cost_nano_usd DESC NULLS LAST, trace_id
LIMIT {limit:UInt32}
