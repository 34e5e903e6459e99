-- Traces of which the first span is still there: retention takes the oldest first.
SELECT trace_id
FROM
(
    SELECT trace_id, min(timestamp) AS first FROM spyglass.spans
    WHERE trace_id IN ($traces) AND timestamp < {end:DateTime('UTC')}
        AND timestamp >= (SELECT min(started_at) FROM spyglass.trace_index WHERE trace_id IN ($traces))
    GROUP BY trace_id
) AS s
INNER JOIN
(
    SELECT trace_id, min(started_at) AS began FROM spyglass.trace_index WHERE trace_id IN ($traces) GROUP BY trace_id
) AS i ON i.trace_id = s.trace_id
WHERE first <= began
