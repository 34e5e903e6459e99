-- question: How much happened: runs (traces with an agent), model calls, tokens and cost, and how much of it is known?
-- parameters:
-- - since DateTime64(3, 'UTC'): start of the range
-- - organization String: only this one
-- columns:
-- - traces
-- - runs
-- - failed_runs
-- - agent_runs
-- - model_calls
-- - calls_without_usage: answered without tokens
-- - input_tokens: NULL: none is known
-- - output_tokens
-- - cost_nano_usd (1e-9 USD): NULL: no call has a price
-- - unpriced_calls: with tokens and without a price
SELECT
    uniqExact(trace_id) AS traces,
    uniqExactIf(trace_id, kind = 'agent') AS runs,
    uniqExactIf(trace_id, parent_span_id = '' AND status = 'error'
        AND trace_id IN (SELECT trace_id FROM spyglass.spans FINAL WHERE kind = 'agent' AND timestamp >= {since:DateTime64(3, 'UTC')}))
        AS failed_runs,
    countIf(kind = 'agent') AS agent_runs,
    countIf(kind IN ('llm', 'embedding')) AS model_calls,
    countIf(kind IN ('llm', 'embedding') AND usage_source = 'missing' AND status != 'error') AS calls_without_usage,
    sumIf(input_tokens, kind IN ('llm', 'embedding')) AS input_tokens,
    sumIf(output_tokens, kind IN ('llm', 'embedding')) AS output_tokens,
    sumIf(cost_nano_usd, kind IN ('llm', 'embedding')) AS cost_nano_usd,
    countIf(cost_source = 'unpriced' AND usage_source != 'missing') AS unpriced_calls
FROM spyglass.spans FINAL
WHERE timestamp >= {since:DateTime64(3, 'UTC')} AND organization = {organization:String}
