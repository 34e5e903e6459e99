-- Traces with texts to assemble: under keys of other dialects, in events of a span, or in logs that name one.
CREATE TABLE spyglass.$run_told ENGINE = Memory AS
SELECT trace_id FROM spyglass.$run_spans WHERE tells_messages
UNION DISTINCT
SELECT trace_id
FROM spyglass.span_content
WHERE trace_id IN (SELECT trace_id FROM spyglass.$run_traces)
    AND timestamp >= (SELECT min(first) FROM spyglass.$run_traces)
    AND timestamp <= (SELECT max(last) FROM spyglass.$run_traces)
    AND (notEmpty(attributes) OR other_form)
UNION DISTINCT
SELECT trace_id
FROM spyglass.logs
WHERE trace_id IN (SELECT trace_id FROM spyglass.$run_traces)
    AND timestamp >= (SELECT min(first) FROM spyglass.$run_traces) - INTERVAL 1 HOUR
    AND timestamp <= (SELECT max(last) FROM spyglass.$run_traces) + INTERVAL 1 HOUR
    AND span_id != '' AND spyglass_tells_messages(event_name);
