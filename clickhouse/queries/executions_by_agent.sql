-- question: How often does each agent run, with what outcome, effort and cost?
-- From single executions, own calls only: a sum over agents counts nothing twice. The range is exact.
-- parameters:
-- - since DateTime64(3, 'UTC') = -24h: start of the range
-- - until DateTime64(3, 'UTC') = now: end of the range, exclusive
-- - organization String = '': only this one (empty: all, without demo data)
-- - project String = '': only this one (empty: all)
-- columns:
-- - organization
-- - project
-- - service
-- - agent
-- - executions
-- - errors
-- - error_ratio (0 to 1)
-- - never_ended: closed without their agent's span
-- - last_started_at (UTC)
-- - model_calls
-- - tool_calls
-- - input_tokens: with what the cache gave; NULL: none is known
-- - output_tokens: with reasoning; NULL: none is known
-- - token_cost_nano_usd (1e-9 USD): NULL: none is known, as in all parts
-- - cpu_cost_nano_usd (1e-9 USD)
-- - memory_cost_nano_usd (1e-9 USD)
-- - gpu_cost_nano_usd (1e-9 USD)
-- - total_cost_nano_usd (1e-9 USD): sum of the known parts
-- - unpriced_calls: with tokens and without a price: the cost lacks them
-- - calls_without_usage: answered without tokens: tokens and cost lack them
SELECT
    organization, project, service, agent, count() AS executions, countIf(status = 'error') AS errors,
    errors / executions AS error_ratio, countIf(closed_by = 'sweeper') AS never_ended,
    max(started_at) AS last_started_at, sum(llm_calls) AS model_calls, sum(e.tool_calls) AS tool_calls,
    sum(e.input_tokens) AS input_tokens, sum(e.output_tokens) AS output_tokens,
    sum(e.token_cost_nano_usd) AS token_cost_nano_usd, sum(e.cpu_cost_nano_usd) AS cpu_cost_nano_usd,
    sum(e.memory_cost_nano_usd) AS memory_cost_nano_usd, sum(e.gpu_cost_nano_usd) AS gpu_cost_nano_usd,
    sum(e.total_cost_nano_usd) AS total_cost_nano_usd, sum(e.unpriced_calls) AS unpriced_calls,
    sum(e.calls_without_usage) AS calls_without_usage
FROM spyglass.fact_agent_executions AS e FINAL
WHERE started_at >= {since:DateTime64(3, 'UTC')} AND started_at < {until:DateTime64(3, 'UTC')}
    AND ({organization:String} = '' AND NOT demo OR organization = {organization:String})
    AND ({project:String} = '' OR project = {project:String})
GROUP BY organization, project, service, agent
ORDER BY executions DESC, organization, project, service, agent
