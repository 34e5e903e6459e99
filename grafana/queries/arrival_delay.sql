-- How long after its end did a span arrive in the warehouse? A row per interval of arrival.
-- columns: time, p50_seconds, p95_seconds (below 0: the sender's clock is ahead)
SELECT
    $__timeInterval(ingested_at) AS time,
    quantile(0.5)(delay_seconds) AS p50_seconds,
    quantile(0.95)(delay_seconds) AS p95_seconds
FROM
(
    SELECT
        ingested_at,
        (toUnixTimestamp64Nano(ingested_at::DateTime64(9)) - toUnixTimestamp64Nano(timestamp) - toInt64(duration_ns)) / 1e9
            AS delay_seconds
    FROM spans
    WHERE $__timeFilter_ms(ingested_at) AND @matches(organization) AND @matches(project) AND @matches(agent)
)
GROUP BY time
ORDER BY time
