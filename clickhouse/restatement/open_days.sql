-- Calls of days that are not closed, where prices of now make another cost: the finaliser computes them again.
INSERT INTO spyglass.dirty_traces (trace_id, started_at, ended_at)
SELECT trace_id, min(c.started_at), max(c.started_at + toIntervalNanosecond(c.duration_ns))
FROM spyglass.llm_calls AS c FINAL
WHERE started_at >= toStartOfDay(now('UTC') - toIntervalSecond($seconds)) AND $differs
GROUP BY trace_id
