-- key: 4
SELECT trace_id, caller, callee_kind, callee, sum(e.calls), sum(e.errors), sum(e.duration_ns), sum(e.input_tokens),
    sum(e.output_tokens), sum(e.cost_nano_usd)
FROM agent_edges AS e GROUP BY trace_id, caller, callee_kind, callee
