-- For each span the nearest agent at or above it, the nearest one above, and which calls it is.
-- climb: each span first points at its parent (at itself, where it stops or has no parent here); each of ten rounds lets
-- it point where its goal points, so 1,024 levels are climbed. Spans in a circle end at one that does not stop; for calls
-- the circle is opened. What an agent or a tool calls is not part of the call that they stand below.
-- owns_usage: its tokens count here. Those of a model call do, unless a call below it reports too; those of anything else
-- only where nothing below it and no call above it reports. counts_call: it is a call; without tokens unless it contains
-- another one, or stands below the one that reports it (what fails below a call that succeeds was a call of its own).
-- counts_tool: it is not the inner side of the same tool call, such as the client and the server of MCP.
-- A name that is used twice is analysed twice, hence the levels.
CREATE TABLE spyglass.$run_places ENGINE = Memory AS
WITH
    (stops, parents) -> arrayFold(
        (goals, round) -> arrayMap(at -> goals[at], goals),
        range(10),
        arrayMap((at, stop, parent) -> if(stop OR parent = 0, at, parent), arrayEnumerate(stops), stops, parents)
    ) AS climb
SELECT
    tree,
    place,
    id.1 AS trace_id,
    id.2 AS span_id,
    if(are_agents[goal], ids[goal], ('', '')) AS agent_span,
    if(above_agent > 0, ids[above_agent], ('', '')) AS caller_span,
    has_agent,
    (reports AND if(is_call, NOT over_reported_call, NOT over_usage AND above_reported_call = 0))::Bool AS owns_usage,
    multiIf(
        NOT is_call, owns_usage AND NOT over_call,
        reports, owns_usage,
        NOT over_call AND NOT (
            above_reported_call > 0 AND NOT bitmapContains(over_reported_calls, above_reported_call)
            AND NOT (failed AND NOT have_failed[above_reported_call])
        )
    )::Bool AS counts_call,
    (is_call AND above_usage > 0 AND NOT bitmapContains(over_usages, above_usage))::Bool AS is_summed,
    (is_tool AND NOT (above_tool > 0
        AND (tool_names[above_tool] = tool_name OR tool_call != '' AND tool_calls[above_tool] = tool_call)))::Bool
        AS counts_tool
FROM
(
    SELECT
        tree, place, ids, are_agents, arrayExists(x -> x, are_agents) AS has_agent, have_failed, tool_names, tool_calls,
        over_lists[4] AS over_reported_calls, over_lists[5] AS over_usages, id, goal, above_agent, above_tool,
        above_reported_call, above_usage, is_call, is_tool, reports, failed, tool_name, tool_call,
        bitmapContains(over_lists[if(is_call, 3, 6)], place) AS over_call,
        bitmapContains(over_reported_calls, place) AS over_reported_call,
        bitmapContains(over_usages, place) AS over_usage
    FROM
    (
        SELECT
            *,
            arrayMap(
                (wanted, above) -> bitmapBuild(arrayFilter((place, is_wanted) -> is_wanted, above, wanted)),
                -- and what adds up calls, however far below
                arrayPushBack(wanted_lists, are_calls), arrayPushBack(above_lists, above_lists[5])
            ) AS over_lists
        FROM
        (
            SELECT
                *,
                arrayMap(
                    (wanted, goals) -> arrayMap(parent -> if(parent > 0 AND wanted[goals[parent]], goals[parent], 0), parents),
                    wanted_lists, goal_lists
                ) AS above_lists
            FROM
            (
                SELECT *, arrayMap(stops -> climb(stops, parents), stop_lists) AS goal_lists
                FROM
                (
                    SELECT
                        *,
                        [are_agents, are_tools, are_calls, are_reported_calls, all_report] AS wanted_lists,
                        arrayMap((a, b) -> a OR b, are_tools, are_agents) AS starts_anew,
                        [
                            are_agents, starts_anew, arrayMap((a, b) -> a OR b, are_calls, starts_anew),
                            arrayMap((a, b) -> a OR b, are_reported_calls, starts_anew), all_report
                        ] AS stop_lists,
                        arrayMap((parent, end) -> if(closed_parents[end] > 0, 0, parent), closed_parents, ends) AS parents
                    FROM
                    (
                        SELECT
                            tree, spans.1 AS places, spans.2 AS ids, spans.3 AS closed_parents, spans.4 AS are_agents,
                            spans.5 AS are_calls, spans.6 AS are_tools, spans.7 AS all_report,
                            spans.8 AS are_reported_calls, spans.9 AS have_failed, spans.10 AS tool_names,
                            spans.11 AS tool_calls, climb(arrayMap(id -> false, spans.2), spans.3) AS ends
                        FROM
                        (
                            SELECT
                                c.tree AS tree,
                                arraySort(span -> span.1, groupArray((
                                    c.place, (c.trace_id, c.span_id), ifNull(p.place, 0), kind = 'agent',
                                    kind IN ('llm', 'embedding'), kind = 'tool', reports,
                                    reports AND kind IN ('llm', 'embedding'), failed, c.tool, c.tool_call_id
                                ))) AS spans
                            FROM spyglass.$run_nodes AS c
                            LEFT JOIN (SELECT trace_id, span_id, place FROM spyglass.$run_nodes) AS p
                                ON p.trace_id = c.up_trace AND p.span_id = c.up_span
                            GROUP BY tree
                        )
                    )
                )
            )
        )
    )
    ARRAY JOIN
        places AS place, ids AS id, goal_lists[1] AS goal, above_lists[1] AS above_agent, above_lists[2] AS above_tool,
        above_lists[4] AS above_reported_call, above_lists[5] AS above_usage, are_calls AS is_call, are_tools AS is_tool,
        all_report AS reports, have_failed AS failed, tool_names AS tool_name, tool_calls AS tool_call
);
