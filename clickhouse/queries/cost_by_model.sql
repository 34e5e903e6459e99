-- question: What does each model cost, hour by hour?
-- Read by whole hour: the range begins with the hour of since.
-- parameters:
-- - since DateTime64(3, 'UTC') = -30d: start of the range
-- - until DateTime64(3, 'UTC') = now: end of the range, exclusive
-- - organization String = '': only this one (empty: all, without demo data)
-- - project String = '': only this one (empty: all)
-- columns:
-- - time (UTC): start of the hour
-- - provider
-- - model
-- - calls
-- - input_tokens: with what the cache gave; NULL: none is known
-- - output_tokens: with reasoning; NULL: none is known
-- - cost_nano_usd (1e-9 USD): of model calls; NULL: none has a price
-- - calls_without_usage: answered without tokens: tokens and cost lack them
-- - unpriced_calls: with tokens and without a price: the cost lacks them
SELECT
    time, provider, model, sum(c.calls) AS calls, sum(c.input_tokens) AS input_tokens,
    sum(c.output_tokens) AS output_tokens, sum(c.cost_nano_usd) AS cost_nano_usd,
    sum(c.calls_without_usage) AS calls_without_usage, sum(c.unpriced_calls) AS unpriced_calls
FROM spyglass.rollup_calls AS c
WHERE kind IN ('llm', 'embedding') AND time >= toStartOfHour({since:DateTime64(3, 'UTC')}) AND time < {until:DateTime64(3, 'UTC')}
    AND ({organization:String} = '' AND NOT demo OR organization = {organization:String})
    AND ({project:String} = '' OR project = {project:String})
GROUP BY time, provider, model
ORDER BY time, provider, model
