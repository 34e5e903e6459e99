-- question: What fails, where, and how often?
-- Ranges of up to 48 hours within the last 13 days are read by minute, others by whole hour.
-- parameters:
-- - since DateTime64(3, 'UTC') = -24h: start of the range
-- - until DateTime64(3, 'UTC') = now: end of the range, exclusive
-- - organization String = '': only this one (empty: all, without demo data)
-- - project String = '': only this one (empty: all)
-- - limit UInt32 = 100: most rows
-- columns:
-- - organization
-- - project
-- - agent: in whose execution; empty: in none
-- - kind: of the span
-- - error_type: empty: not named
-- - errors
-- - error_ratio (0 to 1): of the calls of this agent and kind
-- - last_at (UTC): start of the minute or hour of the last one
WITH
    {since:DateTime64(3, 'UTC')} >= now() - INTERVAL 13 DAY AND {until:DateTime64(3, 'UTC')} <= {since:DateTime64(3, 'UTC')} + INTERVAL 48 HOUR AS by_minute
SELECT
    organization, project, agent, kind, error_type, sumIf(calls, status = 'error') AS errors,
    errors / sum(sum(calls)) OVER (PARTITION BY organization, project, agent, kind) AS error_ratio,
    maxIf(time, status = 'error') AS last_at
FROM
(
    SELECT * FROM spyglass.rollup_calls_minute FINAL
    WHERE by_minute AND time >= toStartOfMinute({since:DateTime64(3, 'UTC')}) AND time < {until:DateTime64(3, 'UTC')}
    UNION ALL
    SELECT * FROM spyglass.rollup_calls
    WHERE NOT by_minute AND time >= toStartOfHour({since:DateTime64(3, 'UTC')}) AND time < {until:DateTime64(3, 'UTC')}
)
WHERE ({organization:String} = '' AND NOT demo OR organization = {organization:String})
    AND ({project:String} = '' OR project = {project:String})
GROUP BY organization, project, agent, kind, error_type
QUALIFY errors > 0
ORDER BY errors DESC, organization, project, agent, kind, error_type
LIMIT {limit:UInt32}
