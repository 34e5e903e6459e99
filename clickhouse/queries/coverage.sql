-- question: Of which share of the model calls are tokens and cost known, and from where?
-- From single model calls: the range is exact.
-- parameters:
-- - since DateTime64(3, 'UTC') = -7d: start of the range
-- - until DateTime64(3, 'UTC') = now: end of the range, exclusive
-- - organization String = '': only this one (empty: all, without demo data)
-- - project String = '': only this one (empty: all)
-- columns:
-- - organization
-- - project
-- - calls
-- - usage_reported_calls: the provider counted the tokens
-- - usage_estimated_calls
-- - usage_aggregated_calls: counted for several calls at once
-- - calls_without_usage: answered without tokens
-- - failed_calls_without_usage: refused calls, which are no gap
-- - priced_calls
-- - unpriced_calls: with tokens and without a price
-- - priced_call_ratio (0 to 1): calls whose cost is known or that used nothing
-- - tokens: that are known, in and out
-- - unpriced_tokens
-- - priced_token_ratio (0 to 1): NULL: no token is known
-- - cost_nano_usd (1e-9 USD): NULL: no call has a price
-- - reported_cost_nano_usd (1e-9 USD): as the emitters say; NULL: none does
WITH
    coalesce(input_tokens, output_tokens) AS usage
SELECT
    organization, project, count() AS calls, countIf(usage_source = 'reported' AND usage IS NOT NULL) AS usage_reported_calls,
    countIf(usage_source = 'estimated' AND usage IS NOT NULL) AS usage_estimated_calls,
    countIf(usage_source = 'aggregated' AND usage IS NOT NULL) AS usage_aggregated_calls,
    countIf(usage IS NULL AND status != 'error') AS calls_without_usage,
    countIf(usage IS NULL AND status = 'error') AS failed_calls_without_usage, count(c.cost_nano_usd) AS priced_calls,
    countIf(usage IS NOT NULL AND c.cost_nano_usd IS NULL) AS unpriced_calls,
    1 - (unpriced_calls + calls_without_usage) / calls AS priced_call_ratio,
    sum(ifNull(input_tokens, 0) + ifNull(output_tokens, 0)) AS tokens,
    sumIf(ifNull(input_tokens, 0) + ifNull(output_tokens, 0), c.cost_nano_usd IS NULL) AS unpriced_tokens,
    1 - unpriced_tokens / nullIf(tokens, 0) AS priced_token_ratio, sum(c.cost_nano_usd) AS cost_nano_usd,
    sum(c.reported_cost_nano_usd) AS reported_cost_nano_usd
FROM spyglass.llm_calls AS c FINAL
WHERE started_at >= {since:DateTime64(3, 'UTC')} AND started_at < {until:DateTime64(3, 'UTC')}
    AND ({organization:String} = '' AND NOT demo OR organization = {organization:String})
    AND ({project:String} = '' OR project = {project:String})
GROUP BY organization, project
ORDER BY calls DESC, organization, project
