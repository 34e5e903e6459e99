-- question: Who calls whom: agents each other, tools and models?
-- A hand-over (callee_kind handoff) goes from the agent that stopped to the one that took over. Ranges of up to 48
-- hours within the last 13 days are read by minute, others by whole hour.
-- parameters:
-- - since DateTime64(3, 'UTC') = -15m: start of the range
-- - until DateTime64(3, 'UTC') = now: end of the range, exclusive
-- - organization String = '': only this one (empty: all, without demo data)
-- - project String = '': only this one (empty: all)
-- columns:
-- - organization
-- - project
-- - caller: an agent
-- - callee_kind: agent, tool, model or handoff
-- - callee
-- - calls
-- - inferred_calls: of which the caller was found by an id, because the context was lost
-- - errors
-- - error_ratio (0 to 1)
-- - mean_seconds
-- - p95_seconds
-- - max_seconds
-- - input_tokens: of model calls; NULL: none is known
-- - output_tokens
-- - cost_nano_usd (1e-9 USD): NULL: none has a price
WITH
    {since:DateTime64(3, 'UTC')} >= now() - INTERVAL 13 DAY AND {until:DateTime64(3, 'UTC')} <= {since:DateTime64(3, 'UTC')} + INTERVAL 48 HOUR AS by_minute
SELECT
    organization, project, caller, callee_kind, callee, sum(e.calls) AS calls, sum(e.inferred_calls) AS inferred_calls,
    sum(e.errors) AS errors, errors / calls AS error_ratio, sum(duration_ns) / calls / 1e9 AS mean_seconds,
    quantilesBFloat16Merge(0.5, 0.95, 0.99)(duration_quantiles)[2] / 1e9 AS p95_seconds,
    max(longest_ns) / 1e9 AS max_seconds, sum(e.input_tokens) AS input_tokens, sum(e.output_tokens) AS output_tokens,
    sum(e.cost_nano_usd) AS cost_nano_usd
FROM
(
    SELECT * FROM spyglass.rollup_edges_minute FINAL
    WHERE by_minute AND time >= toStartOfMinute({since:DateTime64(3, 'UTC')}) AND time < {until:DateTime64(3, 'UTC')}
    UNION ALL
    SELECT * FROM spyglass.rollup_edges
    WHERE NOT by_minute AND time >= toStartOfHour({since:DateTime64(3, 'UTC')}) AND time < {until:DateTime64(3, 'UTC')}
) AS e
WHERE ({organization:String} = '' AND NOT demo OR organization = {organization:String})
    AND ({project:String} = '' OR project = {project:String})
GROUP BY organization, project, caller, callee_kind, callee
ORDER BY calls DESC, organization, project, caller, callee_kind, callee
