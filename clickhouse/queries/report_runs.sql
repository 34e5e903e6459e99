-- question: Which runs were there, newest first, and what did each take?
-- One row per trace with an agent in it; its status is that of its first span, and incomplete while that one has not
-- come.
-- parameters:
-- - since DateTime64(3, 'UTC'): start of the range
-- - organization String: only this one
-- - limit UInt32: most rows
-- columns:
-- - trace_id
-- - started_at (UTC)
-- - service
-- - agents
-- - status
-- - error_type
-- - duration_seconds
-- - spans
-- - model_calls
-- - tool_calls
-- - input_tokens: NULL: none is known
-- - output_tokens
-- - cost_nano_usd (1e-9 USD): NULL: no call has a price
-- - unpriced_calls: with tokens and without a price
SELECT
    trace_id,
    min(timestamp) AS started_at,
    argMin(service, timestamp) AS service,
    arraySort(groupUniqArrayIf(agent, kind = 'agent' AND agent != '')) AS agents,
    multiIf(countIf(parent_span_id = '') = 0, 'incomplete', countIf(parent_span_id = '' AND spans.status = 'error') > 0, 'error', 'ok')
        AS status,
    anyIf(spans.error_type, parent_span_id = '') AS error_type,
    (toUnixTimestamp64Nano(max(timestamp + toIntervalNanosecond(duration_ns))) - toUnixTimestamp64Nano(min(timestamp))) / 1e9
        AS duration_seconds,
    count() AS spans,
    countIf(kind IN ('llm', 'embedding')) AS model_calls,
    countIf(kind = 'tool') AS tool_calls,
    sumIf(input_tokens, kind IN ('llm', 'embedding')) AS input_tokens,
    sumIf(output_tokens, kind IN ('llm', 'embedding')) AS output_tokens,
    sumIf(cost_nano_usd, kind IN ('llm', 'embedding')) AS cost_nano_usd,
    countIf(cost_source = 'unpriced' AND usage_source != 'missing') AS unpriced_calls
FROM spyglass.spans FINAL
WHERE timestamp >= {since:DateTime64(3, 'UTC')} AND organization = {organization:String}
GROUP BY trace_id
HAVING countIf(kind = 'agent') > 0
ORDER BY started_at DESC
LIMIT {limit:UInt32}
