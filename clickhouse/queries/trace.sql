-- question: What happened in a trace, span by span, with texts and logs?
-- Newest spans too: the bounds in time come from trace_index, and from the marks of the last hour. Logs (kind log) are
-- those of up to an hour before and after.
-- parameters:
-- - trace_id String: 32 hex digits
-- columns:
-- - timestamp (UTC): start
-- - kind: of the span, or log
-- - span_id
-- - parent_span_id: empty: a root
-- - service
-- - agent
-- - name: of a log: its severity
-- - model
-- - tool
-- - status
-- - error_type
-- - status_message
-- - duration_seconds: NULL: a log
-- - input_tokens
-- - output_tokens
-- - cost_nano_usd (1e-9 USD): of a model call; NULL: unknown
-- - input: messages, tool arguments or query
-- - output: messages, tool result or documents; of a log: its body
-- - system: instructions
-- - attributes: what is in no other column
WITH
    (
        SELECT (min(started_at), max(ended_at))
        FROM
        (
            SELECT started_at, ended_at FROM spyglass.trace_index WHERE trace_id = {trace_id:String}
            UNION ALL
            SELECT started_at, ended_at FROM spyglass.dirty_traces
            WHERE marked_at >= now64(3) - INTERVAL 1 HOUR AND trace_id = {trace_id:String}
        )
    ) AS bounds,
    calls AS
    (
        SELECT span_id, cost_nano_usd
        FROM spyglass.llm_calls FINAL
        WHERE trace_id = {trace_id:String} AND started_at >= bounds.1 AND started_at <= bounds.2
    ),
    texts AS
    (
        SELECT span_id, input, output, system
        FROM spyglass.span_content FINAL
        WHERE trace_id = {trace_id:String} AND timestamp >= bounds.1 AND timestamp <= bounds.2
    )
SELECT *
FROM
(
    SELECT
        timestamp, s.kind::String AS kind, s.span_id AS span_id, parent_span_id, service, agent, s.name::String AS name, model,
        tool, status, error_type, status_message, toNullable(duration_ns / 1e9) AS duration_seconds, input_tokens,
        output_tokens, coalesce(calls.cost_nano_usd, s.cost_nano_usd) AS cost_nano_usd, input, output, system, attributes
    FROM spyglass.spans AS s FINAL
    LEFT JOIN texts ON texts.span_id = s.span_id
    LEFT JOIN calls ON calls.span_id = s.span_id
    WHERE trace_id = {trace_id:String} AND timestamp >= bounds.1 AND timestamp <= bounds.2
    UNION ALL
    SELECT
        timestamp, 'log', span_id, '', service, '', severity::String, '', '', '', '', '', NULL, NULL, NULL, NULL, '', body,
        '', attributes
    FROM spyglass.logs FINAL
    WHERE trace_id = {trace_id:String} AND timestamp >= bounds.1 - INTERVAL 1 HOUR AND timestamp <= bounds.2 + INTERVAL 1 HOUR
)
ORDER BY timestamp, span_id, kind
