-- question: How did each organization do: runs, success, and cost with its four parts?
-- Executions and model calls that began in the range, exactly. Model calls outside of any execution count too. Coverage
-- says which share of the cost is known.
-- parameters:
-- - since DateTime64(3, 'UTC') = -30d: start of the range
-- - until DateTime64(3, 'UTC') = now: end of the range, exclusive
-- - organization String = '': only this one (empty: all, without demo data)
-- - project String = '': only this one (empty: all)
-- columns:
-- - organization
-- - runs: traces with an execution of an agent
-- - executions
-- - errors: executions that failed
-- - success_ratio (0 to 1): NULL: no execution
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
-- - metered_execution_ratio (0 to 1): executions with a known use of CPU, memory or GPU and its price; NULL: no
--   execution
WITH
    executions AS
    (
        SELECT
            organization, uniqExact(trace_id) AS runs, count() AS executions, countIf(status = 'error') AS errors,
            sum(e.cpu_cost_nano_usd) AS cpu_cost_nano_usd, sum(e.memory_cost_nano_usd) AS memory_cost_nano_usd,
            sum(e.gpu_cost_nano_usd) AS gpu_cost_nano_usd,
            countIf(coalesce(e.cpu_cost_nano_usd, e.memory_cost_nano_usd, e.gpu_cost_nano_usd) IS NOT NULL) AS metered
        FROM spyglass.fact_agent_executions AS e FINAL
        WHERE started_at >= {since:DateTime64(3, 'UTC')} AND started_at < {until:DateTime64(3, 'UTC')}
            AND ({organization:String} = '' AND NOT demo OR organization = {organization:String})
            AND ({project:String} = '' OR project = {project:String})
        GROUP BY organization
    ),
    calls AS
    (
        WITH coalesce(c.input_tokens, c.output_tokens) AS usage
        SELECT
            organization, count() AS model_calls, sum(c.input_tokens) AS input_tokens,
            sum(c.output_tokens) AS output_tokens, sum(cost_nano_usd) AS token_cost_nano_usd,
            countIf(usage IS NOT NULL AND cost_nano_usd IS NULL) AS unpriced_calls,
            sumIf(ifNull(c.input_tokens, 0) + ifNull(c.output_tokens, 0), cost_nano_usd IS NULL) AS unpriced_tokens,
            countIf(usage IS NULL AND status != 'error') AS calls_without_usage
        FROM spyglass.llm_calls AS c FINAL
        WHERE started_at >= {since:DateTime64(3, 'UTC')} AND started_at < {until:DateTime64(3, 'UTC')}
            AND ({organization:String} = '' AND NOT demo OR organization = {organization:String})
            AND ({project:String} = '' OR project = {project:String})
        GROUP BY organization
    )
SELECT
    if(e.organization != '', e.organization, c.organization) AS organization, runs, executions, errors,
    1 - errors / nullIf(executions, 0) AS success_ratio, model_calls, input_tokens, output_tokens, token_cost_nano_usd,
    cpu_cost_nano_usd, memory_cost_nano_usd, gpu_cost_nano_usd,
    if(
        coalesce(token_cost_nano_usd, cpu_cost_nano_usd, memory_cost_nano_usd, gpu_cost_nano_usd) IS NULL, NULL,
        ifNull(token_cost_nano_usd, 0) + ifNull(cpu_cost_nano_usd, 0) + ifNull(memory_cost_nano_usd, 0) + ifNull(gpu_cost_nano_usd, 0)
    ) AS total_cost_nano_usd,
    unpriced_calls, calls_without_usage,
    1 - (unpriced_calls + calls_without_usage) / nullIf(model_calls, 0) AS priced_call_ratio,
    1 - unpriced_tokens / nullIf(ifNull(input_tokens, 0) + ifNull(output_tokens, 0), 0) AS priced_token_ratio,
    metered / nullIf(executions, 0) AS metered_execution_ratio
FROM executions AS e
FULL JOIN calls AS c ON c.organization = e.organization
ORDER BY total_cost_nano_usd DESC NULLS LAST, organization
