-- question: Which models are used without a known price?
-- Their calls are in no cost. `spyglass prices set` gives a price. Read by whole hour: the range begins with the hour
-- of since.
-- parameters:
-- - since DateTime64(3, 'UTC') = -30d: start of the range
-- - until DateTime64(3, 'UTC') = now: end of the range, exclusive
-- - organization String = '': only this one (empty: all, without demo data)
-- - project String = '': only this one (empty: all)
-- columns:
-- - provider
-- - model: empty: not named
-- - calls: with tokens and without a price
-- - tokens: of these calls, in and out
-- - reported_cost_nano_usd (1e-9 USD): what the emitters say that all calls of the model cost; NULL: nothing
-- - last_at (UTC): start of the hour of the last one
SELECT
    provider, model, sum(unpriced_calls) AS calls, sum(unpriced_tokens) AS tokens,
    sum(c.reported_cost_nano_usd) AS reported_cost_nano_usd, maxIf(time, unpriced_calls > 0) AS last_at
FROM spyglass.rollup_calls AS c
WHERE kind IN ('llm', 'embedding') AND time >= toStartOfHour({since:DateTime64(3, 'UTC')}) AND time < {until:DateTime64(3, 'UTC')}
    AND ({organization:String} = '' AND NOT demo OR organization = {organization:String})
    AND ({project:String} = '' OR project = {project:String})
GROUP BY provider, model
HAVING calls > 0
ORDER BY tokens DESC, provider, model
