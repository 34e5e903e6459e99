-- What could the warehouse not store? One row, for all organizations: what cannot be read has no owner.
-- columns: letters, rows
SELECT count() AS letters, sum(rows) AS rows
FROM dead_letters
WHERE $__timeFilter_ms(received_at)
