-- key: 6
SELECT toUnixTimestamp(time), agent, kind, model, status, error_type, sum(c.calls), sumIf(c.calls, status = 'error'), sum(c.duration_ns),
    sum(c.input_tokens), sum(c.output_tokens), sum(c.cost_nano_usd)
FROM rollup_calls_minute AS c GROUP BY time, agent, kind, model, status, error_type
