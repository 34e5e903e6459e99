-- question: Which agents take the longest, and where does their time go?
-- From single executions: the range is exact. Time in models and tools is summed over calls, also where they overlap.
-- parameters:
-- - since DateTime64(3, 'UTC') = -24h: start of the range
-- - until DateTime64(3, 'UTC') = now: end of the range, exclusive
-- - organization String = '': only this one (empty: all, without demo data)
-- - project String = '': only this one (empty: all)
-- - limit UInt32 = 20: most rows
-- columns:
-- - organization
-- - project
-- - service
-- - agent
-- - executions
-- - p50_seconds
-- - p95_seconds
-- - max_seconds
-- - mean_seconds
-- - mean_model_seconds: per execution
-- - mean_tool_seconds: per execution
-- - mean_queue_wait_seconds: NULL: none is known
-- - slowest_trace_id
WITH
    quantilesExactInclusive(0.5, 0.95)(e.duration_ms / 1e3) AS quantiles
SELECT
    organization, project, service, agent, count() AS executions, quantiles[1] AS p50_seconds,
    quantiles[2] AS p95_seconds, max(e.duration_ms) / 1e3 AS max_seconds, avg(e.duration_ms) / 1e3 AS mean_seconds,
    avg(llm_ns) / 1e9 AS mean_model_seconds, avg(tool_ns) / 1e9 AS mean_tool_seconds,
    avg(queue_wait_seconds) AS mean_queue_wait_seconds, argMax(trace_id, e.duration_ms) AS slowest_trace_id
FROM spyglass.fact_agent_executions AS e FINAL
WHERE started_at >= {since:DateTime64(3, 'UTC')} AND started_at < {until:DateTime64(3, 'UTC')}
    AND ({organization:String} = '' AND NOT demo OR organization = {organization:String})
    AND ({project:String} = '' OR project = {project:String})
GROUP BY organization, project, service, agent
ORDER BY p95_seconds DESC, organization, project, service, agent
LIMIT {limit:UInt32}
