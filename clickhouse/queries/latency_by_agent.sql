-- question: How long do the executions of each agent take?
-- Quantiles are exact to two digits. Ranges of up to 48 hours within the last 13 days are read by minute, others by
-- whole hour.
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
-- - p50_seconds
-- - p95_seconds
-- - p99_seconds
-- - max_seconds
-- - mean_seconds
WITH
    {since:DateTime64(3, 'UTC')} >= now() - INTERVAL 13 DAY AND {until:DateTime64(3, 'UTC')} <= {since:DateTime64(3, 'UTC')} + INTERVAL 48 HOUR AS by_minute,
    quantilesBFloat16Merge(0.5, 0.95, 0.99)(duration_quantiles) AS quantiles_ns
SELECT
    organization, project, service, agent, sum(calls) AS executions,
    quantiles_ns[1] / 1e9 AS p50_seconds, quantiles_ns[2] / 1e9 AS p95_seconds, quantiles_ns[3] / 1e9 AS p99_seconds,
    max(longest_ns) / 1e9 AS max_seconds, sum(duration_ns) / executions / 1e9 AS mean_seconds
FROM
(
    SELECT * FROM spyglass.rollup_calls_minute FINAL
    WHERE by_minute AND time >= toStartOfMinute({since:DateTime64(3, 'UTC')}) AND time < {until:DateTime64(3, 'UTC')}
    UNION ALL
    SELECT * FROM spyglass.rollup_calls
    WHERE NOT by_minute AND time >= toStartOfHour({since:DateTime64(3, 'UTC')}) AND time < {until:DateTime64(3, 'UTC')}
)
WHERE kind = 'agent'
    AND ({organization:String} = '' AND NOT demo OR organization = {organization:String})
    AND ({project:String} = '' OR project = {project:String})
GROUP BY organization, project, service, agent
ORDER BY p95_seconds DESC, organization, project, service, agent
