-- key: 4
SELECT toUnixTimestamp(time), caller, callee_kind, callee, sum(e.calls), sum(e.errors), sum(e.duration_ns), sum(e.input_tokens),
    sum(e.output_tokens), sum(e.cost_nano_usd)
FROM rollup_edges_minute AS e GROUP BY time, caller, callee_kind, callee
