-- key: 2
SELECT trace_id, span_id, agent, model, input_tokens, output_tokens, cost_nano_usd FROM llm_calls
