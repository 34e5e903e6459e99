-- Who called whom: agents each other, tools and models; and who handed over to whom.
SELECT
    organization, project, $time AS time,
    row_number() OVER (PARTITION BY organization, project, time ORDER BY caller, callee_kind, callee) AS part,
    if(kind IN ('agent', 'handoff'), peer, agent) AS caller,
    if(kind IN ('llm', 'embedding'), 'model', kind) AS callee_kind,
    multiIf(kind = 'tool', tool, callee_kind = 'model', model, agent) AS callee, demo, sum(m.calls) AS calls,
    sumIf(m.calls, inferred_from != '') AS inferred_calls, sumIf(m.calls, status = 'error') AS errors,
    sum(arraySum(durations_ns)) AS duration_ns,
    max(arrayMax(durations_ns)) AS longest_ns,
    quantilesBFloat16ArrayState(0.5, 0.95, 0.99)(durations_ns) AS duration_quantiles,
    sum(m.input_tokens) AS input_tokens, sum(m.output_tokens) AS output_tokens, sum(m.cost_nano_usd) AS cost_nano_usd
FROM spyglass.trace_minutes AS m FINAL
WHERE kind IN ('agent', 'handoff', 'tool', 'llm', 'embedding') AND caller != '' AND callee != '' AND $dirty
GROUP BY organization, project, time, caller, callee_kind, callee, demo
