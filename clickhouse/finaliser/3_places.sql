-- For each span the nearest agent at or above it, and the nearest one above. Each span first points at its parent (at
-- itself, where it is an agent or has no parent here); each of ten rounds lets it point where its goal points, so 1,024
-- levels are climbed. Spans in a circle end at one that is no agent.
CREATE TABLE spyglass.$run_places ENGINE = Memory AS
SELECT
    trace_id,
    span.2 AS span_id,
    if(is_agent[goal], ids[goal], '') AS agent_span_id,
    if(above > 0 AND is_agent[above], ids[above], '') AS caller_span_id,
    arrayExists(x -> x, is_agent) AS has_agent
FROM
(
    SELECT
        trace_id,
        arraySort(groupArray((c.place, c.span_id, c.kind = 'agent', ifNull(p.place, 0)))) AS spans,
        spans.2 AS ids,
        spans.3 AS is_agent,
        arrayFold(
            (goals, round) -> arrayMap(at -> goals[at], goals),
            range(10),
            arrayMap(s -> if(s.3 OR s.4 = 0, s.1, s.4), spans)
        ) AS goals,
        arrayMap(s -> if(s.4 = 0, 0, goals[s.4]), spans) AS aboves
    FROM spyglass.$run_spans AS c
    LEFT JOIN (SELECT trace_id, span_id, place FROM spyglass.$run_spans) AS p
        ON p.trace_id = c.trace_id AND p.span_id = c.parent_span_id AND p.span_id != c.span_id
    GROUP BY trace_id
)
ARRAY JOIN spans AS span, goals AS goal, aboves AS above;
