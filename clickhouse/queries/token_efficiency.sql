-- question: What does a successful execution of each agent take, in tokens and cost?
-- All that an agent's executions used, the failed ones' too, over those that succeeded. The range is exact.
-- parameters:
-- - since DateTime64(3, 'UTC') = -7d: start of the range
-- - until DateTime64(3, 'UTC') = now: end of the range, exclusive
-- - organization String = '': only this one (empty: all, without demo data)
-- - project String = '': only this one (empty: all)
-- columns:
-- - organization
-- - project
-- - service
-- - agent
-- - executions
-- - successes: executions that did not fail
-- - input_tokens: with what the cache gave; NULL: none is known
-- - output_tokens: with reasoning; NULL: none is known
-- - cost_nano_usd (1e-9 USD): tokens, CPU, memory and GPU, as far as known
-- - unpriced_calls: with tokens and without a price: the cost lacks them
-- - calls_without_usage: answered without tokens: tokens and cost lack them
-- - tokens_per_success: NULL: none is known, or no success
-- - cost_per_success_nano_usd (1e-9 USD): NULL: none is known, or no success
-- - wasted_tokens: of failed executions; NULL: none is known
-- - wasted_cost_nano_usd (1e-9 USD): of failed executions
SELECT
    organization, project, service, agent, count() AS executions, countIf(status != 'error') AS successes,
    sum(e.input_tokens) AS input_tokens, sum(e.output_tokens) AS output_tokens,
    sum(e.total_cost_nano_usd) AS cost_nano_usd, sum(e.unpriced_calls) AS unpriced_calls,
    sum(e.calls_without_usage) AS calls_without_usage,
    sum(coalesce(e.input_tokens + e.output_tokens, e.input_tokens, e.output_tokens)) / nullIf(successes, 0)
        AS tokens_per_success,
    toInt64(round(cost_nano_usd / nullIf(successes, 0))) AS cost_per_success_nano_usd,
    sumIf(coalesce(e.input_tokens + e.output_tokens, e.input_tokens, e.output_tokens), status = 'error')
        AS wasted_tokens,
    sumIf(e.total_cost_nano_usd, status = 'error') AS wasted_cost_nano_usd
FROM spyglass.fact_agent_executions AS e FINAL
WHERE started_at >= {since:DateTime64(3, 'UTC')} AND started_at < {until:DateTime64(3, 'UTC')}
    AND ({organization:String} = '' AND NOT demo OR organization = {organization:String})
    AND ({project:String} = '' OR project = {project:String})
GROUP BY organization, project, service, agent
ORDER BY cost_nano_usd DESC NULLS LAST, organization, project, service, agent
