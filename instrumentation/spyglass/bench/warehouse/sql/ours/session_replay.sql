WITH
    (
        SELECT (groupUniqArray(trace_id), min(timestamp), max(timestamp)) FROM spans
        WHERE session_id = {session_id:String} AND organization = {organization:String}
    ) AS found
SELECT s.timestamp AS timestamp, s.span_id AS span_id, s.name AS name, s.attributes AS more, c.input AS input, c.output AS output
FROM (SELECT * FROM spans WHERE session_id = {session_id:String} AND organization = {organization:String}) AS s
LEFT JOIN
(
    SELECT span_id, input, output FROM span_content
    WHERE has(found.1, trace_id) AND timestamp >= found.2 AND timestamp <= found.3
        AND organization = {organization:String}
) AS c ON c.span_id = s.span_id
ORDER BY timestamp, span_id
