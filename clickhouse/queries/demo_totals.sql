-- question: How many spans, runs (traces) and runs of agents of one demo run are stored?
-- parameters:
-- - run String: of the demo, as its spans carry it
-- - since DateTime64(3, 'UTC'): start of the range
-- columns:
-- - spans
-- - runs
-- - failed_runs
-- - agent_runs
SELECT
    sum(trace_spans) AS spans,
    count() AS runs,
    countIf(root_failed) AS failed_runs,
    sum(trace_agents) AS agent_runs
FROM
(
    SELECT
        count() AS trace_spans,
        countIf(kind = 'agent') AS trace_agents,
        countIf(parent_span_id = '' AND status = 'error') > 0 AS root_failed
    FROM spyglass.spans FINAL
    WHERE demo AND timestamp >= {since:DateTime64(3, 'UTC')} AND resource['spyglass.demo.run'] = {run:String}
    GROUP BY trace_id
)
