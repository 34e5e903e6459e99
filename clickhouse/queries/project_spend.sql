-- question: What does each project cost, with its four parts?
-- Resources are those of executions that began in the range. Read by whole hour: the range begins with the hour of
-- since.
-- parameters:
-- - since DateTime64(3, 'UTC') = -30d: start of the range
-- - until DateTime64(3, 'UTC') = now: end of the range, exclusive
-- - organization String = '': only this one (empty: all, without demo data)
-- - project String = '': only this one (empty: all)
-- columns:
-- - organization
-- - project
-- - executions
-- - model_calls
-- - input_tokens: with what the cache gave; NULL: none is known
-- - output_tokens: with reasoning; NULL: none is known
-- - token_cost_nano_usd (1e-9 USD): NULL: none is known, as in all parts
-- - cpu_cost_nano_usd (1e-9 USD)
-- - memory_cost_nano_usd (1e-9 USD)
-- - gpu_cost_nano_usd (1e-9 USD)
-- - total_cost_nano_usd (1e-9 USD): sum of the known parts
-- - unpriced_calls: with tokens and without a price: the cost lacks them
-- - calls_without_usage: answered without tokens: tokens and cost lack them
-- - priced_call_ratio (0 to 1): calls whose cost is known or that used nothing; NULL: no call
-- - priced_token_ratio (0 to 1): of the tokens that are known; NULL: none is
WITH
    resources AS
    (
        SELECT
            organization, project, sum(e.cpu_cost_nano_usd) AS cpu_cost_nano_usd,
            sum(e.memory_cost_nano_usd) AS memory_cost_nano_usd, sum(e.gpu_cost_nano_usd) AS gpu_cost_nano_usd
        FROM spyglass.fact_agent_executions AS e FINAL
        WHERE started_at >= toStartOfHour({since:DateTime64(3, 'UTC')}) AND started_at < {until:DateTime64(3, 'UTC')}
            AND ({organization:String} = '' AND NOT demo OR organization = {organization:String})
            AND ({project:String} = '' OR project = {project:String})
        GROUP BY organization, project
    )
SELECT
    c.organization AS organization, c.project AS project, sumIf(calls, kind = 'agent') AS executions,
    sumIf(calls, kind IN ('llm', 'embedding')) AS model_calls, sum(c.input_tokens) AS input_tokens,
    sum(c.output_tokens) AS output_tokens, sum(c.cost_nano_usd) AS token_cost_nano_usd,
    any(r.cpu_cost_nano_usd) AS cpu_cost_nano_usd, any(r.memory_cost_nano_usd) AS memory_cost_nano_usd,
    any(r.gpu_cost_nano_usd) AS gpu_cost_nano_usd,
    if(
        coalesce(token_cost_nano_usd, cpu_cost_nano_usd, memory_cost_nano_usd, gpu_cost_nano_usd) IS NULL, NULL,
        ifNull(token_cost_nano_usd, 0) + ifNull(cpu_cost_nano_usd, 0) + ifNull(memory_cost_nano_usd, 0) + ifNull(gpu_cost_nano_usd, 0)
    ) AS total_cost_nano_usd,
    sum(c.unpriced_calls) AS unpriced_calls, sum(c.calls_without_usage) AS calls_without_usage,
    1 - (sum(c.unpriced_calls) + sum(c.calls_without_usage)) / nullIf(model_calls, 0) AS priced_call_ratio,
    1 - sum(c.unpriced_tokens) / nullIf(ifNull(input_tokens, 0) + ifNull(output_tokens, 0), 0) AS priced_token_ratio
FROM spyglass.rollup_calls AS c
LEFT JOIN resources AS r ON r.organization = c.organization AND r.project = c.project
WHERE time >= toStartOfHour({since:DateTime64(3, 'UTC')}) AND time < {until:DateTime64(3, 'UTC')}
    AND ({organization:String} = '' AND NOT demo OR c.organization = {organization:String})
    AND ({project:String} = '' OR c.project = {project:String})
GROUP BY organization, project
ORDER BY total_cost_nano_usd DESC NULLS LAST, organization, project
