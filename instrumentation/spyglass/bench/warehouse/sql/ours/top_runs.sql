SELECT trace_id, sum(token_cost_nano_usd) AS cost_nano_usd, sum(f.llm_calls) AS llm_calls
FROM fact_agent_executions AS f
WHERE organization = {organization:String} AND started_at >= {since:DateTime('UTC')} AND started_at < {until:DateTime('UTC')}
GROUP BY trace_id
ORDER BY cost_nano_usd DESC NULLS LAST, trace_id
LIMIT 10
