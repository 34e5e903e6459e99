-- question: How much happened in all: runs, executions, users, calls, tokens, cost?
-- The cost is that of model calls; executive_summary has all its parts. Read by whole hour: the range begins with the
-- hour of since.
-- parameters:
-- - since DateTime64(3, 'UTC') = -90d: start of the range
-- - until DateTime64(3, 'UTC') = now: end of the range, exclusive
-- - organization String = '': only this one (empty: all, without demo data)
-- - project String = '': only this one (empty: all)
-- columns:
-- - runs: traces with an execution of an agent
-- - executions
-- - errors: executions that failed
-- - success_ratio (0 to 1): NULL: no execution
-- - users: that are named
-- - model_calls
-- - input_tokens: with what the cache gave; NULL: none is known
-- - output_tokens: with reasoning; NULL: none is known
-- - cost_nano_usd (1e-9 USD): of model calls; NULL: none has a price
-- - calls_without_usage: answered without tokens: tokens and cost lack them
-- - unpriced_calls: with tokens and without a price: the cost lacks them
-- - priced_call_ratio (0 to 1): calls whose cost is known or that used nothing; NULL: no call
-- - priced_token_ratio (0 to 1): of the tokens that are known; NULL: none is
SELECT
    (
        SELECT uniqExact(trace_id)
        FROM spyglass.fact_agent_executions FINAL
        WHERE started_at >= toStartOfHour({since:DateTime64(3, 'UTC')}) AND started_at < {until:DateTime64(3, 'UTC')}
            AND ({organization:String} = '' AND NOT demo OR organization = {organization:String})
            AND ({project:String} = '' OR project = {project:String})
    ) AS runs,
    sumIf(calls, kind = 'agent') AS executions, sumIf(calls, kind = 'agent' AND status = 'error') AS errors,
    1 - errors / nullIf(executions, 0) AS success_ratio,
    (
        SELECT uniqExact(user_id)
        FROM spyglass.rollup_users
        WHERE user_id != '' AND time >= toStartOfHour({since:DateTime64(3, 'UTC')}) AND time < {until:DateTime64(3, 'UTC')}
            AND ({organization:String} = '' AND NOT demo OR organization = {organization:String})
            AND ({project:String} = '' OR project = {project:String})
    ) AS users,
    sumIf(calls, kind IN ('llm', 'embedding')) AS model_calls, sum(c.input_tokens) AS input_tokens,
    sum(c.output_tokens) AS output_tokens, sum(c.cost_nano_usd) AS cost_nano_usd,
    sum(c.calls_without_usage) AS calls_without_usage, sum(c.unpriced_calls) AS unpriced_calls,
    1 - (sum(c.unpriced_calls) + sum(c.calls_without_usage)) / nullIf(model_calls, 0) AS priced_call_ratio,
    1 - sum(c.unpriced_tokens) / nullIf(ifNull(input_tokens, 0) + ifNull(output_tokens, 0), 0) AS priced_token_ratio
FROM spyglass.rollup_calls AS c
WHERE time >= toStartOfHour({since:DateTime64(3, 'UTC')}) AND time < {until:DateTime64(3, 'UTC')}
    AND ({organization:String} = '' AND NOT demo OR organization = {organization:String})
    AND ({project:String} = '' OR project = {project:String})
