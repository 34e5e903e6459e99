-- Traces that may be joined with those of this run, and by which key (0: they were before).
SELECT DISTINCT found.1 AS key, found.2 AS trace_id
FROM
(
    SELECT (k.key, k.trace_id) AS found
    FROM spyglass.join_keys AS k
    INNER JOIN spyglass.$run_keys AS r ON r.key = k.key
    WHERE (k.seeks, k.key) IN (SELECT NOT seeks, key FROM spyglass.$run_keys)
        AND k.seeks != r.seeks AND k.since <= r.until AND r.since <= k.until
    UNION ALL
    SELECT (key, link_trace) FROM spyglass.$run_keys WHERE rule = 'link' AND seeks
    UNION ALL
    SELECT (0, other) FROM spyglass.joined_traces WHERE trace_id IN (SELECT trace_id FROM spyglass.$run_traces)
)
WHERE trace_id NOT IN (SELECT trace_id FROM spyglass.$run_traces)
