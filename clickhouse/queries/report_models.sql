-- question: What did each model cost, and how much of that is known?
-- parameters:
-- - since DateTime64(3, 'UTC'): start of the range
-- - organization String: only this one
-- columns:
-- - provider
-- - model
-- - calls
-- - errors
-- - calls_without_usage: answered without tokens
-- - input_tokens: NULL: none is known, as in all tokens
-- - output_tokens
-- - cache_read_tokens
-- - cost_nano_usd (1e-9 USD): NULL: no call has a price
-- - unpriced_calls: with tokens and without a price
-- - p50_seconds
-- - p95_seconds
SELECT
    provider,
    model,
    count() AS calls,
    countIf(status = 'error') AS errors,
    countIf(usage_source = 'missing' AND status != 'error') AS calls_without_usage,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens,
    sum(cache_read_tokens) AS cache_read_tokens,
    sum(cost_nano_usd) AS cost_nano_usd,
    countIf(cost_source = 'unpriced' AND usage_source != 'missing') AS unpriced_calls,
    quantileExact(0.5)(duration_ns) / 1e9 AS p50_seconds,
    quantileExact(0.95)(duration_ns) / 1e9 AS p95_seconds
FROM spyglass.spans FINAL
WHERE kind IN ('llm', 'embedding') AND timestamp >= {since:DateTime64(3, 'UTC')} AND organization = {organization:String}
GROUP BY provider, model
ORDER BY cost_nano_usd DESC NULLS LAST, calls DESC
