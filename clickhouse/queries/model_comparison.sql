-- question: How do the models compare: errors, speed, price, cache?
-- From single model calls: the range is exact. Rates are of the calls for which both parts are known.
-- parameters:
-- - since DateTime64(3, 'UTC') = -24h: start of the range
-- - until DateTime64(3, 'UTC') = now: end of the range, exclusive
-- - organization String = '': only this one (empty: all, without demo data)
-- - project String = '': only this one (empty: all)
-- columns:
-- - provider
-- - model
-- - kind: llm or embedding
-- - calls
-- - errors
-- - error_ratio (0 to 1)
-- - p50_seconds
-- - p95_seconds
-- - p50_first_token_seconds: NULL: none is known
-- - p95_first_token_seconds
-- - output_tokens_per_second: of successful calls, over their whole time; NULL: unknown
-- - input_tokens: with what the cache gave; NULL: none is known
-- - output_tokens: with reasoning; NULL: none is known
-- - cache_hit_ratio (0 to 1): input tokens that came from the cache, of calls that report it; NULL: none does
-- - cost_nano_usd (1e-9 USD): of model calls; NULL: none has a price
-- - cost_per_call_nano_usd (1e-9 USD): mean of the calls that have a price
-- - unpriced_calls: with tokens and without a price: the cost lacks them
-- - calls_without_usage: answered without tokens: tokens and cost lack them
WITH
    quantilesExactInclusive(0.5, 0.95)(duration_ns) AS quantiles_ns
SELECT
    provider, model, kind, count() AS calls, countIf(status = 'error') AS errors, errors / calls AS error_ratio,
    quantiles_ns[1] / 1e9 AS p50_seconds,
    quantiles_ns[2] / 1e9 AS p95_seconds,
    quantileExactInclusiveOrNull(0.5)(time_to_first_token_seconds) AS p50_first_token_seconds,
    quantileExactInclusiveOrNull(0.95)(time_to_first_token_seconds) AS p95_first_token_seconds,
    sumIf(c.output_tokens, status != 'error')
        / nullIf(sumIf(duration_ns, status != 'error' AND c.output_tokens IS NOT NULL), 0) * 1e9
        AS output_tokens_per_second,
    sum(c.input_tokens) AS input_tokens, sum(c.output_tokens) AS output_tokens,
    sum(cache_read_tokens) / nullIf(sumIf(c.input_tokens, cache_read_tokens IS NOT NULL), 0) AS cache_hit_ratio,
    sum(c.cost_nano_usd) AS cost_nano_usd, toInt64(round(avg(c.cost_nano_usd))) AS cost_per_call_nano_usd,
    countIf(c.cost_nano_usd IS NULL AND coalesce(c.input_tokens, c.output_tokens) IS NOT NULL) AS unpriced_calls,
    countIf(coalesce(c.input_tokens, c.output_tokens) IS NULL AND status != 'error') AS calls_without_usage
FROM spyglass.llm_calls AS c FINAL
WHERE started_at >= {since:DateTime64(3, 'UTC')} AND started_at < {until:DateTime64(3, 'UTC')}
    AND ({organization:String} = '' AND NOT demo OR organization = {organization:String})
    AND ({project:String} = '' OR project = {project:String})
GROUP BY provider, model, kind
ORDER BY calls DESC, provider, model, kind
