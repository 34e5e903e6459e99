-- question: Which users use the most tokens?
-- Read from totals of model calls. Read by whole hour: the range begins with the hour of since.
-- parameters:
-- - since DateTime64(3, 'UTC') = -30d: start of the range
-- - until DateTime64(3, 'UTC') = now: end of the range, exclusive
-- - organization String = '': only this one (empty: all, without demo data)
-- - project String = '': only this one (empty: all)
-- - limit UInt32 = 20: most rows
-- columns:
-- - organization
-- - project
-- - user_id: empty: not named
-- - calls
-- - input_tokens: with what the cache gave; NULL: none is known
-- - output_tokens: with reasoning; NULL: none is known
-- - cost_nano_usd (1e-9 USD): of model calls; NULL: none has a price
-- - unpriced_calls: with tokens and without a price: the cost lacks them
SELECT
    organization, project, user_id, sum(u.calls) AS calls, sum(u.input_tokens) AS input_tokens,
    sum(u.output_tokens) AS output_tokens, sum(u.cost_nano_usd) AS cost_nano_usd, sum(u.unpriced_calls) AS unpriced_calls
FROM spyglass.rollup_users AS u
WHERE time >= toStartOfHour({since:DateTime64(3, 'UTC')}) AND time < {until:DateTime64(3, 'UTC')}
    AND ({organization:String} = '' AND NOT demo OR organization = {organization:String})
    AND ({project:String} = '' OR project = {project:String})
GROUP BY organization, project, user_id
HAVING calls > 0
ORDER BY ifNull(input_tokens, 0) + ifNull(output_tokens, 0) DESC, organization, project, user_id
LIMIT {limit:UInt32}
