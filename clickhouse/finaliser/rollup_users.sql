-- What was done for a user: executions of agents (without a model), and calls of each model.
SELECT
    organization, project, $time AS time,
    row_number() OVER (PARTITION BY organization, project, time ORDER BY user_id, model) AS part,
    user_id, model, demo, sumIf(m.calls, kind = 'agent') AS executions,
    sumIf(m.calls, kind != 'agent') AS calls, sumIf(m.calls, status = 'error') AS errors,
    sum(m.input_tokens) AS input_tokens, sum(m.output_tokens) AS output_tokens, sum(m.cost_nano_usd) AS cost_nano_usd,
    sum(m.unpriced_calls) AS unpriced_calls
FROM spyglass.trace_minutes AS m FINAL
WHERE kind IN ('agent', 'llm', 'embedding') AND $dirty
GROUP BY organization, project, time, user_id, model, demo
