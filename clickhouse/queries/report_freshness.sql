-- question: How long after its end was a span stored, and how old is the newest one?
-- parameters:
-- - since DateTime64(3, 'UTC'): start of the range
-- - organization String: only this one
-- columns:
-- - spans
-- - p50_seconds
-- - p95_seconds
-- - newest_age_seconds
SELECT
    count() AS spans,
    quantileExact(0.5)(delay) AS p50_seconds,
    quantileExact(0.95)(delay) AS p95_seconds,
    min(age) AS newest_age_seconds
FROM
(
    SELECT
        toUnixTimestamp64Milli(ingested_at) / 1e3 - toUnixTimestamp64Nano(timestamp + toIntervalNanosecond(duration_ns)) / 1e9
            AS delay,
        toUnixTimestamp64Milli(now64(3)) / 1e3 - toUnixTimestamp64Nano(timestamp + toIntervalNanosecond(duration_ns)) / 1e9
            AS age
    FROM spyglass.spans FINAL
    WHERE timestamp >= {since:DateTime64(3, 'UTC')} AND organization = {organization:String}
)
