-- Who called whom, by trace: agents the agents right below them, the tools and the models of their executions; and who
-- handed over to whom. A span of an open execution has no caller yet.
CREATE TABLE spyglass.$run_agent_edges ENGINE = Memory AS
SELECT
    organization, project, max(demo) AS demo, caller, callee_kind, callee, toStartOfHour(toDateTime(min(at), 'UTC')) AS hour,
    min(at) AS started_at, trace_id, toUInt32(count()) AS calls, toUInt32(countIf(failed)) AS errors,
    sum(e.duration_ns) AS duration_ns, max(e.duration_ns) AS longest_ns, sum(e.input_tokens) AS input_tokens,
    sum(e.output_tokens) AS output_tokens, sum(e.cost_nano_usd) AS cost_nano_usd, {version:UInt64} AS version,
    0::UInt8 AS is_deleted
FROM
(
    SELECT
        o.organization AS organization, o.project AS project, o.demo AS demo, trace_id, timestamp AS at, duration_ns,
        status = 'error' AS failed,
        multiIf(source_agent != '' AND target_agent != '', source_agent, a.agent_name) AS caller,
        multiIf(
            source_agent != '' AND target_agent != '', 'handoff', closes, 'agent', kind = 'tool', 'tool', owns_call, 'model', ''
        ) AS callee_kind,
        multiIf(callee_kind = 'handoff', target_agent, closes, o.agent, kind = 'tool', tool, model) AS callee,
        if(owns_call, o.input_tokens, NULL) AS input_tokens,
        if(owns_call, o.output_tokens, NULL) AS output_tokens,
        if(owns_call, o.cost_nano_usd, NULL) AS cost_nano_usd
    FROM spyglass.$run_owners AS o
    LEFT JOIN
    (
        SELECT trace_id AS of_trace, execution_id AS of_execution, agent AS agent_name
        FROM spyglass.$run_fact_agent_executions
    ) AS a ON of_trace = o.trace_id AND of_execution = if(o.closes, o.caller_execution, o.execution)
) AS e
WHERE caller != '' AND callee_kind != '' AND callee != ''
GROUP BY organization, project, trace_id, caller, callee_kind, callee;
