-- What the traces that come later find these by: of each id when it is there at all.
INSERT INTO spyglass.join_keys (seeks, key, trace_id, since, until)
SELECT seeks, key, trace_id, min(k.since), max(k.until)
FROM spyglass.$run_keys AS k
WHERE seeks OR rule != 'link'
GROUP BY seeks, key, trace_id;
