-- question: How often does each tool fail, and of what?
-- Ranges of up to 48 hours within the last 13 days are read by minute, others by whole hour.
-- parameters:
-- - since DateTime64(3, 'UTC') = -24h: start of the range
-- - until DateTime64(3, 'UTC') = now: end of the range, exclusive
-- - organization String = '': only this one (empty: all, without demo data)
-- - project String = '': only this one (empty: all)
-- columns:
-- - organization
-- - project
-- - tool
-- - calls
-- - errors
-- - error_ratio (0 to 1)
-- - error_types: the most frequent first
-- - mean_seconds
-- - p95_seconds
-- - max_seconds
WITH
    {since:DateTime64(3, 'UTC')} >= now() - INTERVAL 13 DAY AND {until:DateTime64(3, 'UTC')} <= {since:DateTime64(3, 'UTC')} + INTERVAL 48 HOUR AS by_minute
SELECT
    organization, project, tool, sum(t.calls) AS calls, sumIf(t.calls, status = 'error') AS errors,
    errors / calls AS error_ratio,
    arrayMap(
        pair -> pair.1,
        arraySort(pair -> (-pair.2, pair.1), arrayZip((sumMapIf([error_type], [t.calls], error_type != '') AS types).1, types.2))
    ) AS error_types,
    sum(duration_ns) / calls / 1e9 AS mean_seconds,
    quantilesBFloat16Merge(0.5, 0.95, 0.99)(duration_quantiles)[2] / 1e9 AS p95_seconds,
    max(longest_ns) / 1e9 AS max_seconds
FROM
(
    SELECT * FROM spyglass.rollup_tools_minute FINAL
    WHERE by_minute AND time >= toStartOfMinute({since:DateTime64(3, 'UTC')}) AND time < {until:DateTime64(3, 'UTC')}
    UNION ALL
    SELECT * FROM spyglass.rollup_tools
    WHERE NOT by_minute AND time >= toStartOfHour({since:DateTime64(3, 'UTC')}) AND time < {until:DateTime64(3, 'UTC')}
) AS t
WHERE ({organization:String} = '' AND NOT demo OR organization = {organization:String})
    AND ({project:String} = '' OR project = {project:String})
GROUP BY organization, project, tool
ORDER BY error_ratio DESC, calls DESC, organization, project, tool
