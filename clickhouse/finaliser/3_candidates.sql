-- The same pairs without what stands below the span itself, and with what tells how sure the conversation is: an agent
-- waits for what it calls, so one that asks a model meanwhile did not call it; where it is asking a model all the while,
-- or is of the same name, nobody knows.
SELECT
    p.trace_id AS trace_id, p.span_id AS span_id, rule, parent_trace, parent_span, h.holder AS holder,
    toString(parent_starts) AS began,
    rule = 'conversation' AND arrayExists(
        (c_starts, c_ends) -> (c_starts + toIntervalNanosecond(skew) < ends AND c_ends - toIntervalNanosecond(skew) > starts
            AND NOT (c_starts <= starts AND c_ends >= ends) AND NOT (is_call AND c_starts >= starts AND c_ends <= ends)),
        calls_start, calls_end) AS is_busy,
    rule = 'conversation' AND (own_agent != '' AND own_agent = h.agent OR NOT is_call AND arrayExists(
        (c_starts, c_ends) -> c_starts <= starts AND c_ends >= ends, calls_start, calls_end)) AS is_doubtful
FROM spyglass.$run_pairs AS p
INNER JOIN spyglass.$run_holders AS h ON h.trace_id = p.parent_trace AND h.span_id = p.parent_span
LEFT JOIN
(
    SELECT
        trace_id AS of_trace, holder AS of_agent, groupArray(timestamp) AS calls_start,
        groupArray(timestamp + toIntervalNanosecond(duration_ns)) AS calls_end
    FROM spyglass.$run_spans AS s
    INNER JOIN spyglass.$run_holders AS h ON h.trace_id = s.trace_id AND h.span_id = s.span_id
    WHERE kind IN ('llm', 'embedding')
    GROUP BY of_trace, of_agent
) AS c ON of_trace = parent_trace AND of_agent = h.holder
WHERE NOT (parent_trace = p.trace_id AND h.top = p.span_id)
ORDER BY starts, ends DESC, trace_id, span_id
