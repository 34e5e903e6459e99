-- The traces that were found, as those of the next round; one whose spans are gone stays as it is.
INSERT INTO spyglass.$run_traces
SELECT
    trace_id, min(i.started_at) AS first, max(i.ended_at) AS last, max(i.marked_at) AS newest,
    newest < {silent_since:DateTime64(3, 'UTC')} AS swept, {next:UInt16} AS round
FROM spyglass.trace_index AS i
WHERE trace_id IN
(
    SELECT trace_id FROM spyglass.spans
    WHERE trace_id IN {found:Array(String)}
        AND timestamp >= (SELECT min(started_at) FROM spyglass.trace_index WHERE trace_id IN {found:Array(String)})
        AND timestamp <= (SELECT max(ended_at) FROM spyglass.trace_index WHERE trace_id IN {found:Array(String)})
)
GROUP BY trace_id;
