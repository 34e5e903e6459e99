-- How many runs of agents ended, how many failed, and how long did they take? One row.
-- columns: runs, failed_share (0 to 1; NULL without runs), p95_seconds (NULL without runs)
SELECT
    count() AS runs,
    countIf(status = 'error') / nullIf(count(), 0) AS failed_share,
    quantileOrNull(0.95)(duration_ns) / 1e9 AS p95_seconds
FROM spans
WHERE kind = 'agent' AND $__timeFilter_ms(timestamp)
    AND @matches(organization) AND @matches(project) AND @matches(agent)
