-- question: What is a forecast of the daily cost made of?
-- One row for each whole day (UTC) between since and until, also where nothing happened: then the cost is 0, for
-- nothing unknown cost anything. A day with calls of which none has a price has an unknown cost. The first and the last
-- day of the range are left out unless they are whole.
-- parameters:
-- - since DateTime64(3, 'UTC') = -90d: start of the range
-- - until DateTime64(3, 'UTC') = now: end of the range, exclusive
-- - organization String = '': only this one (empty: all, without demo data)
-- - project String = '': only this one (empty: all)
-- columns:
-- - date (UTC)
-- - day_of_week: 1: Monday
-- - executions
-- - model_calls
-- - users: that are named
-- - input_tokens: NULL: there were calls, and none reported any
-- - output_tokens
-- - cost_nano_usd (1e-9 USD): tokens, CPU, memory and GPU, as far as known
-- - gap_calls: model calls whose cost is unknown
WITH
    toDate(if({since:DateTime64(3, 'UTC')} = toStartOfDay({since:DateTime64(3, 'UTC')}), {since:DateTime64(3, 'UTC')}, {since:DateTime64(3, 'UTC')} + INTERVAL 1 DAY)) AS first,
    toDate({until:DateTime64(3, 'UTC')}) AS after,
    resources AS
    (
        SELECT
            toDate(started_at) AS date,
            sum(coalesce(e.cpu_cost_nano_usd, 0) + coalesce(e.memory_cost_nano_usd, 0) + coalesce(e.gpu_cost_nano_usd, 0))
                AS cost,
            countIf(coalesce(e.cpu_cost_nano_usd, e.memory_cost_nano_usd, e.gpu_cost_nano_usd) IS NOT NULL) AS metered
        FROM spyglass.fact_agent_executions AS e FINAL
        WHERE started_at >= toDateTime(first, 'UTC') AND started_at < toDateTime(after, 'UTC')
            AND ({organization:String} = '' AND NOT demo OR organization = {organization:String})
            AND ({project:String} = '' OR project = {project:String})
        GROUP BY date
    ),
    users AS
    (
        SELECT toDate(time) AS date, uniqExact(user_id) AS users
        FROM spyglass.rollup_users
        WHERE user_id != '' AND time >= toDateTime(first, 'UTC') AND time < toDateTime(after, 'UTC')
            AND ({organization:String} = '' AND NOT demo OR organization = {organization:String})
            AND ({project:String} = '' OR project = {project:String})
        GROUP BY date
    ),
    calls AS
    (
        SELECT
            toDate(time) AS date, sumIf(c.calls, kind = 'agent') AS executions,
            sumIf(c.calls, kind IN ('llm', 'embedding')) AS model_calls, sum(c.input_tokens) AS input_tokens,
            sum(c.output_tokens) AS output_tokens, sum(c.cost_nano_usd) AS cost,
            sum(c.unpriced_calls) + sum(c.calls_without_usage) AS gap_calls
        FROM spyglass.rollup_calls AS c
        WHERE time >= toDateTime(first, 'UTC') AND time < toDateTime(after, 'UTC')
            AND ({organization:String} = '' AND NOT demo OR organization = {organization:String})
            AND ({project:String} = '' OR project = {project:String})
        GROUP BY date
    )
SELECT
    days.date AS date, toDayOfWeek(date) AS day_of_week, calls.executions AS executions,
    calls.model_calls AS model_calls, users.users AS users,
    if(model_calls = 0, 0, calls.input_tokens) AS input_tokens,
    if(model_calls = 0, 0, calls.output_tokens) AS output_tokens,
    if(model_calls > 0 AND calls.cost IS NULL AND resources.metered = 0, NULL, ifNull(calls.cost, 0) + resources.cost)
        AS cost_nano_usd,
    calls.gap_calls AS gap_calls
FROM (SELECT first + number AS date FROM numbers(greatest(0, after - first)::UInt64)) AS days
LEFT JOIN calls ON calls.date = days.date
LEFT JOIN resources ON resources.date = days.date
LEFT JOIN users ON users.date = days.date
ORDER BY date
