-- question: How large is each table, and how far back does it go?
-- parameters:
-- columns:
-- - table
-- - rows: with versions that are not yet merged away
-- - disk_bytes
-- - bytes_per_row
-- - parts
-- - oldest_at (UTC): of the time that the table's partitions go by; NULL: it has none
SELECT
    table, sum(p.rows) AS rows, sum(bytes_on_disk) AS disk_bytes, disk_bytes / nullIf(rows, 0) AS bytes_per_row,
    count() AS parts, nullIf(minIf(min_time, min_time > toDateTime(0)), toDateTime(0)) AS oldest_at
FROM system.parts AS p
WHERE active AND database = 'spyglass'
GROUP BY table
ORDER BY disk_bytes DESC, table
