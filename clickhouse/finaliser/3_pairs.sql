-- Each span that lost its parent with each that may be it: one of the same organization and, where both say one, of the
-- same conversation, that began before it (clocks may differ by a tenth of its time, 50 ms at most). By conversation it
-- outlasts it; whether one of two tool calls is within the other is not known by that. A model call stands beside the
-- other half of itself, and below it only where that has lost its parent too.
CREATE TABLE spyglass.$run_pairs ENGINE = Memory AS
WITH
    toInt64(least(50000000, intDiv(o.duration_ns, 10))) AS skew
SELECT DISTINCT
    o.rule AS rule, o.trace_id AS trace_id, o.span_id AS span_id, o.starts AS starts, o.ends AS ends,
    o.is_call AS is_call, skew, if(o.kind = 'agent', o.agent, '') AS own_agent,
    p.trace_id AS parent_trace, if(p.is_call AND NOT p.is_root, p.parent_span_id, p.span_id) AS parent_span,
    p.starts AS parent_starts
FROM (SELECT * FROM spyglass.$run_keys WHERE seeks AND rule != 'link' AND key IN (SELECT key FROM spyglass.$run_sought)) AS o
INNER JOIN (SELECT * FROM spyglass.$run_keys WHERE NOT seeks AND key IN (SELECT key FROM spyglass.$run_sought)) AS p ON p.key = o.key
WHERE (o.trace_id, o.span_id) != (p.trace_id, p.span_id)
    AND o.starts <= p.until AND (o.conversation_id = p.conversation_id OR o.conversation_id = '' OR p.conversation_id = '')
    AND multiIf(
        o.rule = 'execution', o.trace_id != p.trace_id AND o.starts >= p.since,
        o.is_call AND p.is_call AND p.is_root, o.rule = 'response' AND o.scope_name != p.scope_name AND o.starts < p.ends
            AND (o.starts > p.starts OR o.starts = p.starts AND p.duration_ns > o.duration_ns),
        o.is_call AND p.is_call, o.rule = 'response' AND o.starts >= p.since,
        o.rule = 'conversation' AND o.kind = 'tool' AND p.kind = 'tool', false,
        o.rule = 'message' AND p.span_kind = 'Consumer', false,
        o.rule = 'conversation' AND (o.starts >= p.ends OR o.ends > p.ends + toIntervalNanosecond(skew)), false,
        o.starts > p.starts, o.rule != 'conversation' OR p.duration_ns >= o.duration_ns,
        p.duration_ns = o.duration_ns, o.starts = p.starts AND NOT p.is_root,
        p.duration_ns > o.duration_ns AND o.starts >= p.starts - toIntervalNanosecond(skew)
    )
UNION ALL
SELECT
    o.rule, o.trace_id, o.span_id, o.starts, o.ends, o.is_call, 0, '', p.trace_id, p.span_id, p.timestamp
FROM spyglass.$run_keys AS o
INNER JOIN spyglass.$run_spans AS p ON p.trace_id = o.link_trace AND p.span_id = o.link_span
WHERE o.seeks AND o.rule = 'link' AND o.key IN (SELECT key FROM spyglass.$run_sought)
    AND p.organization = o.organization AND p.timestamp <= o.starts + INTERVAL 1 SECOND
    AND (o.trace_id, o.span_id) != (p.trace_id, p.span_id);
