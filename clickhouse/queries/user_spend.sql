-- question: What does each user cost?
-- The cost is that of model calls. Read by whole hour: the range begins with the hour of since.
-- parameters:
-- - since DateTime64(3, 'UTC') = -30d: start of the range
-- - until DateTime64(3, 'UTC') = now: end of the range, exclusive
-- - organization String = '': only this one (empty: all, without demo data)
-- - project String = '': only this one (empty: all)
-- - limit UInt32 = 100: most rows
-- columns:
-- - organization
-- - project
-- - user_id: empty: not named
-- - executions: of agents
-- - calls: of models
-- - input_tokens: with what the cache gave; NULL: none is known
-- - output_tokens: with reasoning; NULL: none is known
-- - cost_nano_usd (1e-9 USD): of model calls; NULL: none has a price
-- - unpriced_calls: with tokens and without a price: the cost lacks them
-- - cost_ratio (0 to 1): share of the known cost of all users; NULL: no cost is known
-- - models: by cost
SELECT
    organization, project, user_id, sum(m.executions) AS executions, sum(m.calls) AS calls,
    sum(m.input_tokens) AS input_tokens, sum(m.output_tokens) AS output_tokens, sum(m.cost_nano_usd) AS cost_nano_usd,
    sum(m.unpriced_calls) AS unpriced_calls, cost_nano_usd / sum(cost_nano_usd) OVER () AS cost_ratio,
    arrayMap(
        pair -> pair.2, arraySort(groupArrayIf((-ifNull(m.cost_nano_usd, 0), model), model != ''))
    ) AS models
FROM
(
    SELECT
        organization, project, user_id, model, sum(u.executions) AS executions, sum(u.calls) AS calls,
        sum(u.input_tokens) AS input_tokens, sum(u.output_tokens) AS output_tokens,
        sum(u.cost_nano_usd) AS cost_nano_usd, sum(u.unpriced_calls) AS unpriced_calls
    FROM spyglass.rollup_users AS u
    WHERE time >= toStartOfHour({since:DateTime64(3, 'UTC')}) AND time < {until:DateTime64(3, 'UTC')}
        AND ({organization:String} = '' AND NOT demo OR organization = {organization:String})
        AND ({project:String} = '' OR project = {project:String})
    GROUP BY organization, project, user_id, model
) AS m
GROUP BY organization, project, user_id
ORDER BY cost_nano_usd DESC NULLS LAST, calls DESC, organization, project, user_id
LIMIT {limit:UInt32}
