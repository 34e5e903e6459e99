-- key: 2
SELECT trace_id, execution_id, agent, parent_agent, status, spans, llm_calls, llm_errors, tool_calls, input_tokens,
    output_tokens, token_cost_nano_usd
FROM fact_agent_executions
