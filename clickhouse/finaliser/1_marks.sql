-- The oldest marks that no run has handled.
CREATE TABLE spyglass.$run_marks ENGINE = Memory AS
SELECT marked_at, mark, trace_id, started_at, ended_at
FROM spyglass.dirty_traces
WHERE marked_at >= {since:DateTime64(3, 'UTC')}
    AND mark NOT IN (SELECT mark FROM spyglass.clean_marks WHERE marked_at >= {since:DateTime64(3, 'UTC')})
ORDER BY marked_at, started_at
LIMIT {most:UInt32};

INSERT INTO spyglass.trace_index (trace_id, started_at, ended_at, marked_at)
SELECT trace_id, min(started_at), max(ended_at), max(marked_at)
FROM spyglass.$run_marks
GROUP BY trace_id;

-- Their traces, and those that have waited for the span of an agent for so long that it will not come.
CREATE TABLE spyglass.$run_traces ENGINE = Memory AS
SELECT
    trace_id,
    min(i.started_at) AS first,
    max(i.ended_at) AS last,
    max(i.marked_at) AS newest,
    newest < {silent_since:DateTime64(3, 'UTC')} AS swept,
    0::UInt16 AS round
FROM spyglass.trace_index AS i
WHERE trace_id IN
(
    SELECT trace_id FROM spyglass.$run_marks
    UNION ALL
    SELECT trace_id FROM
    (
        SELECT trace_id FROM spyglass.open_traces FINAL
        WHERE marked_at < {silent_since:DateTime64(3, 'UTC')}
        LIMIT {most:UInt32}
    )
)
GROUP BY trace_id;
