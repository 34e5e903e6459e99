-- Traces with spans that wait for their agent, and those that wait no more.
INSERT INTO spyglass.open_traces (trace_id, marked_at, version, is_deleted)
SELECT trace_id, any(newest), {version:UInt64}, max(waits) = 0
FROM spyglass.$run_owners AS o
INNER JOIN spyglass.$run_traces AS t ON t.trace_id = o.trace_id
GROUP BY trace_id
HAVING max(waits) OR trace_id IN (SELECT trace_id FROM spyglass.open_traces FINAL);

INSERT INTO spyglass.clean_marks (marked_at, mark) SELECT marked_at, mark FROM spyglass.$run_marks;
