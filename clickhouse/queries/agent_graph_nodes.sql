-- question: Which agents, tools and models does the graph of calls have?
-- Calls that a node received, whoever made them; an agent's are its executions, with the tokens and the cost of the
-- model calls in them. Ranges of up to 48 hours within the last 13 days are read by minute, others by whole hour.
-- parameters:
-- - since DateTime64(3, 'UTC') = -1h: start of the range
-- - until DateTime64(3, 'UTC') = now: end of the range, exclusive
-- - organization String = '': only this one (empty: all, without demo data)
-- - project String = '': only this one (empty: all)
-- columns:
-- - id: kind/name
-- - kind: agent, tool or model
-- - name
-- - calls
-- - errors
-- - error_ratio (0 to 1)
-- - mean_seconds: NULL: no call
-- - input_tokens: of model calls; NULL: none is known
-- - output_tokens
-- - cost_nano_usd (1e-9 USD): NULL: none has a price
WITH
    {since:DateTime64(3, 'UTC')} >= now() - INTERVAL 13 DAY AND {until:DateTime64(3, 'UTC')} <= {since:DateTime64(3, 'UTC')} + INTERVAL 48 HOUR AS by_minute
SELECT
    concat(node.1, '/', node.2) AS id, node.1 AS kind, node.2 AS name, sumIf(c.calls, node.3) AS calls,
    sumIf(c.calls, node.3 AND status = 'error') AS errors, errors / nullIf(calls, 0) AS error_ratio,
    sumIf(duration_ns, node.3) / nullIf(calls, 0) / 1e9 AS mean_seconds, sum(c.input_tokens) AS input_tokens,
    sum(c.output_tokens) AS output_tokens, sum(c.cost_nano_usd) AS cost_nano_usd
FROM
(
    SELECT organization, project, demo, agent, kind, model, '' AS tool, status, calls, duration_ns, input_tokens, output_tokens, cost_nano_usd
    FROM
    (
        SELECT * FROM spyglass.rollup_calls_minute FINAL
        WHERE by_minute AND time >= toStartOfMinute({since:DateTime64(3, 'UTC')}) AND time < {until:DateTime64(3, 'UTC')}
        UNION ALL
        SELECT * FROM spyglass.rollup_calls
        WHERE NOT by_minute AND time >= toStartOfHour({since:DateTime64(3, 'UTC')}) AND time < {until:DateTime64(3, 'UTC')}
    )
    WHERE kind IN ('agent', 'llm', 'embedding')
    UNION ALL
    SELECT organization, project, demo, '', 'tool', '', tool, status, calls, duration_ns, NULL, NULL, NULL
    FROM
    (
        SELECT * FROM spyglass.rollup_tools_minute FINAL
        WHERE by_minute AND time >= toStartOfMinute({since:DateTime64(3, 'UTC')}) AND time < {until:DateTime64(3, 'UTC')}
        UNION ALL
        SELECT * FROM spyglass.rollup_tools
        WHERE NOT by_minute AND time >= toStartOfHour({since:DateTime64(3, 'UTC')}) AND time < {until:DateTime64(3, 'UTC')}
    )
) AS c
-- (kind, name, whether it is a call of this node)
ARRAY JOIN multiIf(
    c.kind = 'tool', [('tool', c.tool, true)],
    c.kind = 'agent', [('agent', c.agent, true)],
    [('agent', c.agent, false), ('model', c.model, true)]) AS node
WHERE node.2 != ''
    AND ({organization:String} = '' AND NOT demo OR organization = {organization:String})
    AND ({project:String} = '' OR project = {project:String})
GROUP BY node.1, node.2
ORDER BY id
