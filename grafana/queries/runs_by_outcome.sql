-- How many runs of agents began in each interval, by outcome? A row per interval.
-- columns: time, succeeded, failed, without_status (the emitter set none)
SELECT
    $__timeInterval(timestamp) AS time,
    countIf(status = 'ok') AS succeeded,
    countIf(status = 'error') AS failed,
    countIf(status = 'unset') AS without_status
FROM spans
WHERE kind = 'agent' AND $__timeFilter_ms(timestamp)
    AND @matches(organization) AND @matches(project) AND @matches(agent)
GROUP BY time
ORDER BY time
