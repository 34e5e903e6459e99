-- question: Which share of each agent's executions fails?
-- Ranges of up to 48 hours within the last 13 days are read by minute, others by whole hour.
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
-- - errors
-- - error_ratio (0 to 1)
WITH
    {since:DateTime64(3, 'UTC')} >= now() - INTERVAL 13 DAY AND {until:DateTime64(3, 'UTC')} <= {since:DateTime64(3, 'UTC')} + INTERVAL 48 HOUR AS by_minute
SELECT
    organization, project, service, agent, sum(calls) AS executions, sumIf(calls, status = 'error') AS errors,
    errors / executions AS error_ratio
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
ORDER BY error_ratio DESC, executions DESC, organization, project, service, agent
