-- Of the traces in which a span may find its parent: for each span the nearest agent at or above it, else the uppermost
-- span, and the same from above it on.
INSERT INTO spyglass.$run_holders
WITH
    (stops, parents) -> arrayFold(
        (goals, round) -> arrayMap(at -> goals[at], goals),
        range(10),
        arrayMap((at, stop, parent) -> if(stop OR parent = 0, at, parent), arrayEnumerate(stops), stops, parents)
    ) AS climb,
    numbered AS
    (
        SELECT
            trace_id, span_id, parent_span_id, (kind = 'agent')::Bool AS is_agent, agent,
            toUInt32(row_number() OVER (PARTITION BY trace_id ORDER BY span_id)) AS place
        FROM spyglass.$run_spans
        WHERE trace_id IN (SELECT arrayJoin([trace_id, parent_trace]) FROM spyglass.$run_pairs)
    )
SELECT
    trace_id, id AS span_id, is_agent, ids[goal] AS holder, ids[highest] AS top, are_agents[goal] AS is_held,
    if(is_held, agents[goal], '') AS agent,
    if(parent = 0, '', ids[goals[parent]]) AS above, (parent > 0 AND are_agents[goals[parent]])::Bool AS has_agent_above
FROM
(
    SELECT *, climb(are_agents, parents) AS goals, climb(arrayMap(id -> false, ids), parents) AS tops
    FROM
    (
        SELECT
            trace_id, spans.2 AS ids, spans.3 AS parents, spans.4 AS are_agents, spans.5 AS agents
        FROM
        (
            SELECT
                c.trace_id AS trace_id,
                arraySort(span -> span.1, groupArray((c.place, c.span_id, ifNull(p.place, 0), c.is_agent, c.agent))) AS spans
            FROM numbered AS c
            LEFT JOIN (SELECT trace_id, span_id, place FROM numbered) AS p
                ON p.trace_id = c.trace_id AND p.span_id = c.parent_span_id AND p.span_id != c.span_id
            GROUP BY trace_id
        )
    )
)
ARRAY JOIN ids AS id, goals AS goal, tops AS highest, parents AS parent, are_agents AS is_agent;

INSERT INTO spyglass.joined_traces (trace_id, other)
SELECT DISTINCT pair.1, pair.2
FROM spyglass.$run_pairs
ARRAY JOIN [(trace_id, parent_trace), (parent_trace, trace_id)] AS pair
WHERE trace_id != parent_trace;
