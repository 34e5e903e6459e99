WITH
    (SELECT min(started_at) FROM trace_index WHERE trace_id = {trace_id:String}) AS first,
    (SELECT max(ended_at) FROM trace_index WHERE trace_id = {trace_id:String}) AS last
SELECT s.timestamp AS timestamp, s.span_id AS span_id, s.parent_span_id AS parent_span_id, s.name AS name,
    s.duration_ns AS duration_ns, s.attributes AS more, c.input AS input, c.output AS output
FROM (SELECT * FROM spans WHERE trace_id = {trace_id:String} AND timestamp >= first AND timestamp <= last) AS s
LEFT JOIN
(
    SELECT span_id, input, output FROM span_content
    WHERE trace_id = {trace_id:String} AND timestamp >= first AND timestamp <= last
) AS c ON c.span_id = s.span_id
ORDER BY timestamp, span_id
