-- Calls of each kind of span, by agent, model and outcome.
SELECT
    organization, project, $time AS time,
    row_number() OVER (PARTITION BY organization, project, time ORDER BY agent, kind, provider, model, status) AS part,
    agent, kind, provider, model, status, error_type, environment, service, release,
    demo, sum(m.calls) AS calls, sum(arraySum(durations_ns)) AS duration_ns, max(arrayMax(durations_ns)) AS longest_ns,
    quantilesBFloat16ArrayState(0.5, 0.95, 0.99)(durations_ns) AS duration_quantiles,
    quantilesBFloat16ArrayState(0.5, 0.95, 0.99)(queue_waits_seconds) AS queue_wait_quantiles,
    sum(m.input_tokens) AS input_tokens, sum(m.output_tokens) AS output_tokens,
    sum(m.cache_read_tokens) AS cache_read_tokens, sum(m.cache_write_tokens) AS cache_write_tokens,
    sum(m.reasoning_tokens) AS reasoning_tokens, sum(m.calls_without_usage) AS calls_without_usage,
    sum(m.cost_nano_usd) AS cost_nano_usd, sum(m.unpriced_calls) AS unpriced_calls,
    sum(m.unpriced_tokens) AS unpriced_tokens, sum(m.reported_cost_nano_usd) AS reported_cost_nano_usd
FROM spyglass.trace_minutes AS m FINAL
WHERE kind != 'handoff' AND $dirty
GROUP BY
    organization, project, time, agent, kind, provider, model, status, error_type, environment, service, release, demo
