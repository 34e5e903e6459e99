-- Traces that may be joined with those of this run, and by which key (0: they were before). Of stored ids only the traces'
-- times and hashes are known, so a trace may be found that is not joined.
SELECT DISTINCT found.1 AS key, found.2 AS trace_id
FROM
(
    SELECT (r.key, i.trace_id) AS found
    FROM
    (
        SELECT seeks, since, until, trace_id, arrayJoin(near) AS hash
        FROM spyglass.join_ids
        WHERE since <= (SELECT max(until) FROM spyglass.$run_keys WHERE NOT is_far) + INTERVAL 1 SECOND
            AND until >= (SELECT min(since) FROM spyglass.$run_keys WHERE NOT is_far) - INTERVAL 10 MINUTE
        UNION ALL
        SELECT seeks, since, until, trace_id, arrayJoin(far) AS hash
        FROM spyglass.join_ids
        WHERE since <= (SELECT max(until) FROM spyglass.$run_keys WHERE is_far) + INTERVAL 1 SECOND
            AND until >= (SELECT min(since) FROM spyglass.$run_keys WHERE is_far) - INTERVAL 1 DAY
            AND hasAny(far, (SELECT groupUniqArray(toUInt32(key)) FROM spyglass.$run_keys WHERE is_far))
    ) AS i
    INNER JOIN spyglass.$run_keys AS r ON toUInt32(r.key) = i.hash
    WHERE i.seeks != r.seeks
        AND if(
            i.seeks, i.since >= r.since AND i.since <= r.until,
            r.since >= i.since - INTERVAL 1 SECOND
            AND r.since <= i.until + toIntervalSecond(multiIf(r.is_far, 86400, r.rule = 'response', 600, 1)))
    UNION ALL
    SELECT (key, link_trace) FROM spyglass.$run_keys WHERE rule = 'link' AND seeks
    UNION ALL
    SELECT (0, other) FROM spyglass.joined_traces WHERE trace_id IN (SELECT trace_id FROM spyglass.$run_traces)
)
WHERE trace_id NOT IN (SELECT trace_id FROM spyglass.$run_traces)
