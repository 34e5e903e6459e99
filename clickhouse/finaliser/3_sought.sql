-- Keys that a span which lost its parent seeks, and that another span has at that time: of another trace, or of its own
-- where that has several roots. A key that so many seek and have is none: they all lost their parent.
CREATE TABLE spyglass.$run_sought ENGINE = Memory AS
SELECT o.key AS key
FROM
(
    SELECT *, trace_id IN
        (SELECT trace_id FROM spyglass.$run_keys WHERE is_root GROUP BY trace_id HAVING uniqExact(span_id) > 1) AS has_others
    FROM spyglass.$run_keys
    WHERE seeks AND key NOT IN {crowded:Array(UInt64)}
) AS o
INNER JOIN (SELECT key, trace_id, since, until FROM spyglass.$run_keys WHERE NOT seeks) AS p ON p.key = o.key
WHERE (p.trace_id != o.trace_id OR has_others) AND o.starts >= p.since AND o.starts <= p.until
GROUP BY key
HAVING count() <= 1000000;
