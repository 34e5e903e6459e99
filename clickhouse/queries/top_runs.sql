-- question: Which runs cost the most?
-- A run is a trace; its cost is that of the executions that began in the range. The range is exact.
-- parameters:
-- - since DateTime64(3, 'UTC') = -7d: start of the range
-- - until DateTime64(3, 'UTC') = now: end of the range, exclusive
-- - organization String = '': only this one (empty: all, without demo data)
-- - project String = '': only this one (empty: all)
-- - limit UInt32 = 10: most rows
-- columns:
-- - trace_id
-- - organization
-- - project
-- - agents
-- - started_at (UTC)
-- - duration_seconds
-- - executions
-- - errors: executions that failed
-- - input_tokens: with what the cache gave; NULL: none is known
-- - output_tokens: with reasoning; NULL: none is known
-- - token_cost_nano_usd (1e-9 USD): NULL: none is known, as in all parts
-- - cpu_cost_nano_usd (1e-9 USD)
-- - memory_cost_nano_usd (1e-9 USD)
-- - gpu_cost_nano_usd (1e-9 USD)
-- - total_cost_nano_usd (1e-9 USD): sum of the known parts
-- - unpriced_calls: with tokens and without a price: the cost lacks them
SELECT
    trace_id, any(e.organization) AS organization, any(e.project) AS project, arraySort(groupUniqArray(agent)) AS agents,
    min(e.started_at) AS started_at,
    (toUnixTimestamp64Nano(max(e.ended_at)) - toUnixTimestamp64Nano(min(e.started_at))) / 1e9 AS duration_seconds,
    count() AS executions, countIf(status = 'error') AS errors, sum(e.input_tokens) AS input_tokens,
    sum(e.output_tokens) AS output_tokens, sum(e.token_cost_nano_usd) AS token_cost_nano_usd, sum(e.cpu_cost_nano_usd) AS cpu_cost_nano_usd,
    sum(e.memory_cost_nano_usd) AS memory_cost_nano_usd, sum(e.gpu_cost_nano_usd) AS gpu_cost_nano_usd,
    sum(e.total_cost_nano_usd) AS total_cost_nano_usd, sum(e.unpriced_calls) AS unpriced_calls
FROM spyglass.fact_agent_executions AS e FINAL
WHERE e.started_at >= {since:DateTime64(3, 'UTC')} AND e.started_at < {until:DateTime64(3, 'UTC')}
    AND ({organization:String} = '' AND NOT e.demo OR e.organization = {organization:String})
    AND ({project:String} = '' OR e.project = {project:String})
GROUP BY trace_id
ORDER BY total_cost_nano_usd DESC NULLS LAST, trace_id
LIMIT {limit:UInt32}
