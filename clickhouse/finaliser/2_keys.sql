-- By what the spans of a round may be joined. A span without a parent in its trace seeks one; it says by itself whose it
-- is where it names an execution. What has the id that it names may be its parent: a tool call while it runs, a response
-- for ten minutes and a message for a day; what works in a conversation while it does. A trace of which all spans that
-- name a conversation name the same one is of that.
CREATE TABLE spyglass.$run_keys ENGINE = Memory AS
SELECT
    id.1 AS rule,
    sipHash64(rule, if(rule = 'link', '', organization), if(rule = 'conversation', project, ''), id.2) AS key,
    rule IN ('execution', 'message', 'link') AS is_far, id.3 AS seeks, if(seeks, starts, id.4) AS since, if(seeks, starts, id.5) AS until, *
FROM
(
    SELECT
        organization, project, trace_id, span_id, parent_span_id, scope_name, kind, agent, span_kind, tool_call_id,
        response_id, message_id, if(s.conversation_id != '', s.conversation_id, only_conversation) AS conversation_id,
        execution_id, duration_ns, timestamp AS starts,
        timestamp + toIntervalNanosecond(duration_ns) AS ends, (kind IN ('llm', 'embedding'))::Bool AS is_call,
        if(length(link_traces) = 1, link_traces[1], '') AS link_trace, link_spans[1] AS link_span,
        (parent_span_id IN ('', span_id)
            OR (trace_id, parent_span_id) NOT IN (SELECT trace_id, span_id FROM spyglass.$run_spans))::Bool AS is_root,
        (is_root AND execution_id IN ('', span_id))::Bool AS is_lost
    FROM spyglass.$run_spans AS s
    LEFT JOIN
    (
        SELECT trace_id AS of_trace, if(uniqExact(conversation_id) = 1, any(conversation_id), '') AS only_conversation
        FROM spyglass.$run_spans
        WHERE conversation_id != ''
        GROUP BY trace_id
    ) AS t ON of_trace = trace_id
    WHERE trace_id IN (SELECT trace_id FROM spyglass.$run_traces WHERE round = {round:UInt16})
)
ARRAY JOIN arrayFilter(id -> id.2 != '', [
    ('execution', if(is_root AND NOT is_lost, execution_id, ''), true, starts, ends),
    ('tool_call', if(is_lost, tool_call_id, ''), true, starts, ends),
    ('response', if(is_lost, response_id, ''), true, starts, ends),
    ('message', if(is_lost, message_id, ''), true, starts, ends),
    ('link', if(is_lost, link_trace, ''), true, starts, ends),
    ('conversation', if(is_lost, conversation_id, ''), true, starts, ends),
    ('execution', if(kind = 'agent', span_id, ''), false, starts - INTERVAL 1 SECOND, starts + INTERVAL 1 DAY),
    ('tool_call', tool_call_id, false, starts - INTERVAL 1 SECOND, ends + INTERVAL 1 SECOND),
    ('response', response_id, false, starts - INTERVAL 1 SECOND, ends + INTERVAL 10 MINUTE),
    ('message', message_id, false, starts - INTERVAL 1 SECOND, ends + INTERVAL 1 DAY),
    ('link', if(is_root, trace_id, ''), false, starts - INTERVAL 1 DAY, ends + INTERVAL 1 DAY),
    ('conversation', if(kind IN ('agent', 'tool', 'queue', 'workflow'), conversation_id, ''), false, starts - INTERVAL 1 SECOND, ends)
]) AS id;
