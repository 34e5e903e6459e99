-- question: What did each day cost, with its four parts?
-- Days are UTC; those on which nothing happened have no row. Read by whole hour: the range begins with the hour of
-- since.
-- parameters:
-- - since DateTime64(3, 'UTC') = -30d: start of the range
-- - until DateTime64(3, 'UTC') = now: end of the range, exclusive
-- - organization String = '': only this one (empty: all, without demo data)
-- - project String = '': only this one (empty: all)
-- columns:
-- - date (UTC)
-- - executions
-- - model_calls
-- - token_cost_nano_usd (1e-9 USD): NULL: none is known, as in all parts
-- - cpu_cost_nano_usd (1e-9 USD)
-- - memory_cost_nano_usd (1e-9 USD)
-- - gpu_cost_nano_usd (1e-9 USD)
-- - total_cost_nano_usd (1e-9 USD): sum of the known parts
-- - unpriced_calls: with tokens and without a price: the cost lacks them
-- - calls_without_usage: answered without tokens: tokens and cost lack them
WITH
    resources AS
    (
        SELECT
            toDate(started_at) AS date, sum(e.cpu_cost_nano_usd) AS cpu_cost_nano_usd,
            sum(e.memory_cost_nano_usd) AS memory_cost_nano_usd, sum(e.gpu_cost_nano_usd) AS gpu_cost_nano_usd
        FROM spyglass.fact_agent_executions AS e FINAL
        WHERE started_at >= toStartOfHour({since:DateTime64(3, 'UTC')}) AND started_at < {until:DateTime64(3, 'UTC')}
            AND ({organization:String} = '' AND NOT demo OR organization = {organization:String})
            AND ({project:String} = '' OR project = {project:String})
        GROUP BY date
    ),
    calls AS
    (
        SELECT
            toDate(time) AS date, sumIf(c.calls, kind = 'agent') AS executions,
            sumIf(c.calls, kind IN ('llm', 'embedding')) AS model_calls, sum(c.cost_nano_usd) AS token_cost_nano_usd,
            sum(c.unpriced_calls) AS unpriced_calls, sum(c.calls_without_usage) AS calls_without_usage
        FROM spyglass.rollup_calls AS c
        WHERE time >= toStartOfHour({since:DateTime64(3, 'UTC')}) AND time < {until:DateTime64(3, 'UTC')}
            AND ({organization:String} = '' AND NOT demo OR organization = {organization:String})
            AND ({project:String} = '' OR project = {project:String})
        GROUP BY date
    )
SELECT
    date, executions, model_calls, token_cost_nano_usd, cpu_cost_nano_usd, memory_cost_nano_usd, gpu_cost_nano_usd,
    if(
        coalesce(token_cost_nano_usd, cpu_cost_nano_usd, memory_cost_nano_usd, gpu_cost_nano_usd) IS NULL, NULL,
        ifNull(token_cost_nano_usd, 0) + ifNull(cpu_cost_nano_usd, 0) + ifNull(memory_cost_nano_usd, 0) + ifNull(gpu_cost_nano_usd, 0)
    ) AS total_cost_nano_usd,
    unpriced_calls, calls_without_usage
FROM calls
LEFT JOIN resources USING (date)
ORDER BY date
