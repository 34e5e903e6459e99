-- The traces that were found, as those of the next round.
INSERT INTO spyglass.$run_traces
SELECT
    trace_id, min(i.started_at) AS first, max(i.ended_at) AS last, max(i.marked_at) AS newest,
    newest < {silent_since:DateTime64(3, 'UTC')} AS swept, {next:UInt16} AS round
FROM spyglass.trace_index AS i
WHERE trace_id IN {found:Array(String)}
GROUP BY trace_id;
