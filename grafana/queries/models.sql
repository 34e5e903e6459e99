-- Which models were called, how often, with which tokens, at what cost, and what of that is unknown? A row per model.
-- columns: provider, model, calls, failed_share, p95_seconds, input_tokens, output_tokens, cost_usd (NULLs: unknown),
--          unpriced_calls (tokens but no price), calls_without_usage (answered)
SELECT
    provider,
    model,
    count() AS calls,
    countIf(status = 'error') / count() AS failed_share,
    quantile(0.95)(duration_ns) / 1e9 AS p95_seconds,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens,
    sum(cost_nano_usd) / 1e9 AS cost_usd,
    countIf(cost_source = 'unpriced' AND usage_source != 'missing') AS unpriced_calls,
    countIf(usage_source = 'missing' AND status != 'error') AS calls_without_usage
FROM spans
WHERE kind IN ('llm', 'embedding') AND $__timeFilter_ms(timestamp)
    AND @matches(organization) AND @matches(project) AND @matches(agent) AND @matches(request_model, model)
GROUP BY provider, model
ORDER BY calls DESC, provider, model
LIMIT 50
