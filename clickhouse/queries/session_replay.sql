-- question: What happened in a session, step by step, with texts?
-- All spans of the traces in which the session is named; the range is exact.
-- parameters:
-- - session_id String: as spans carry it
-- - since DateTime64(3, 'UTC') = -30d: start of the range
-- - until DateTime64(3, 'UTC') = now: end of the range, exclusive
-- - organization String = '': only this one (empty: all)
-- - project String = '': only this one (empty: all)
-- columns:
-- - timestamp (UTC): start
-- - trace_id
-- - span_id
-- - parent_span_id: empty: a root
-- - kind
-- - agent
-- - name
-- - model
-- - tool
-- - status
-- - error_type
-- - duration_seconds
-- - input_tokens
-- - output_tokens
-- - cost_nano_usd (1e-9 USD): of a model call at its arrival; NULL: unknown
-- - input: messages, tool arguments or query
-- - output: messages, tool result or documents
WITH
    (
        SELECT groupUniqArray(trace_id)
        FROM spyglass.spans
        WHERE session_id = {session_id:String} AND timestamp >= {since:DateTime64(3, 'UTC')} AND timestamp < {until:DateTime64(3, 'UTC')}
            AND ({organization:String} = '' OR organization = {organization:String})
            AND ({project:String} = '' OR project = {project:String})
    ) AS traces,
    (
        SELECT (min(started_at), max(ended_at))
        FROM
        (
            SELECT started_at, ended_at FROM spyglass.trace_index WHERE trace_id IN (SELECT arrayJoin(traces))
            UNION ALL
            SELECT started_at, ended_at FROM spyglass.dirty_traces
            WHERE marked_at >= now64(3) - INTERVAL 1 HOUR AND trace_id IN (SELECT arrayJoin(traces))
        )
    ) AS bounds,
    texts AS
    (
        SELECT trace_id, span_id, input, output
        FROM spyglass.span_content FINAL
        WHERE trace_id IN (SELECT arrayJoin(traces)) AND timestamp >= bounds.1 AND timestamp <= bounds.2
            AND timestamp >= {since:DateTime64(3, 'UTC')} AND timestamp < {until:DateTime64(3, 'UTC')}
    )
SELECT
    timestamp, s.trace_id AS trace_id, s.span_id AS span_id, parent_span_id, kind, agent, name, model, tool, status,
    error_type, duration_ns / 1e9 AS duration_seconds, input_tokens, output_tokens, cost_nano_usd, input, output
FROM spyglass.spans AS s FINAL
LEFT JOIN texts ON texts.trace_id = s.trace_id AND texts.span_id = s.span_id
WHERE s.trace_id IN (SELECT arrayJoin(traces)) AND timestamp >= bounds.1 AND timestamp <= bounds.2
    AND timestamp >= {since:DateTime64(3, 'UTC')} AND timestamp < {until:DateTime64(3, 'UTC')}
ORDER BY timestamp, span_id
