-- For each span the nearest agent at or above it, the nearest one above, and which calls it is.
-- climb: each span first points at its parent (at itself, where it stops or has no parent here); each of ten rounds lets
-- it point where its goal points, so 1,024 levels are climbed. Spans in a circle end at one that does not stop.
-- owns_usage: its tokens count here. Those of a model call do, unless a call below it reports too; those of anything else
-- only where nothing below it and no call above it reports. counts_call: it is a call; without tokens unless it contains
-- another one, or stands below the one that reports it (what fails below a call that succeeds was a call of its own).
-- counts_tool: it is not the inner side of the same tool call, such as the client and the server of MCP.
CREATE TABLE spyglass.$run_places ENGINE = Memory AS
WITH
    (stops, parents) -> arrayFold(
        (goals, round) -> arrayMap(at -> goals[at], goals),
        range(10),
        arrayMap((at, stop, parent) -> if(stop OR parent = 0, at, parent), arrayEnumerate(stops), stops, parents)
    ) AS climb,
    (stops, goals, parents) -> arrayMap(
        parent -> if(parent > 0 AND stops[goals[parent]], goals[parent], 0), parents
    ) AS nearest_above,
    (wanted, barriers, parents) -> arrayMap(
        above -> if(above > 0 AND wanted[above], above, 0),
        nearest_above(arrayMap((x, y) -> x OR y, wanted, barriers) AS stops, climb(stops, parents), parents)
    ) AS nearest,
    (wanted, aboves) -> bitmapBuild(arrayFilter((above, is_wanted) -> is_wanted, aboves, wanted)) AS reached
SELECT
    trace_id,
    id AS span_id,
    if(is_agent[goal], ids[goal], '') AS agent_span_id,
    if(above_agent > 0, ids[above_agent], '') AS caller_span_id,
    arrayExists(x -> x, is_agent) AS has_agent,
    (reports[place] AND multiIf(
        is_call[place], NOT bitmapContains(over_reported_calls, place),
        NOT bitmapContains(over_usage, place) AND above_reported_calls[place] = 0
    ))::Bool AS owns_usage,
    (multiIf(
        NOT is_call[place], owns_usage AND NOT bitmapContains(over_calls, place),
        reports[place], owns_usage,
        NOT bitmapContains(over_calls, place) AND NOT (
            above_reported_calls[place] > 0 AND NOT bitmapContains(over_reported_calls, above_reported_calls[place])
            AND NOT (failed[place] AND NOT failed[above_reported_calls[place]])
        )
    ))::Bool AS counts_call,
    (is_call[place] AND above_sums[place] > 0)::Bool AS is_summed,
    (is_tool[place] AND (above_tool = 0
        OR NOT (tools[above_tool] = tools[place] OR call_ids[place] != '' AND call_ids[above_tool] = call_ids[place])))::Bool AS counts_tool
FROM
(
    SELECT
        trace_id,
        arraySort(x -> x.1, groupArray((
            c.place, c.span_id, ifNull(p.place, 0), c.kind = 'agent', c.kind IN ('llm', 'embedding'), c.kind = 'tool', c.reports,
            c.status = 'error', lowerUTF8(c.tool), c.tool_call_id
        ))) AS spans,
        spans.1 AS places,
        spans.2 AS ids,
        spans.3 AS parents,
        spans.4 AS is_agent,
        spans.5 AS is_call,
        spans.6 AS is_tool,
        spans.7 AS reports,
        spans.8 AS failed,
        spans.9 AS tools,
        spans.10 AS call_ids,
        arrayMap((x, y) -> x AND y, is_call, reports) AS reports_call,
        -- what an agent or a tool calls is not part of the call that they stand below
        arrayMap((x, y) -> x OR y, is_agent, is_tool) AS starts_anew,
        -- a circle of calls would have no uppermost one
        arrayMap((parent, end) -> if(parents[end] > 0, 0, parent), parents, climb(arrayMap(x -> false, ids), parents)) AS uncircled,
        climb(is_agent, parents) AS agent_goals,
        nearest_above(is_agent, agent_goals, parents) AS above_agents,
        nearest(is_tool, is_agent, uncircled) AS above_tools,
        nearest(reports_call, starts_anew, uncircled) AS above_reported_calls,
        reached(is_call, nearest(is_call, starts_anew, uncircled)) AS over_calls,
        reached(reports_call, above_reported_calls) AS over_reported_calls,
        nearest(reports, arrayMap(x -> false, ids), uncircled) AS above_usages,
        reached(reports, above_usages) AS over_usage,
        arrayMap(above -> if(above > 0 AND NOT bitmapContains(over_usage, above), above, 0), above_usages) AS above_sums
    FROM spyglass.$run_spans AS c
    LEFT JOIN (SELECT trace_id, span_id, place FROM spyglass.$run_spans) AS p
        ON p.trace_id = c.trace_id AND p.span_id = c.parent_span_id AND p.span_id != c.span_id
    GROUP BY trace_id
)
ARRAY JOIN places AS place, ids AS id, agent_goals AS goal, above_agents AS above_agent, above_tools AS above_tool;
