-- One row for each model call; of one whose tokens do not count here, they are unknown, so that rows add up to the totals.
WITH value -> if(owns_usage, value, NULL) AS own
SELECT
    organization, project, environment, service, release, demo,
    multiIf(e.agent_name != '', e.agent_name, o.agent != '', o.agent, o.parent_agent) AS agent,
    execution AS execution_id, if(execution_trace != trace_id, execution_trace, '') AS execution_trace_id,
    if(o.kind = 'agent', '', o.inferred_from) AS inferred_from, trace_id, span_id,
    timestamp AS started_at, duration_ns, call_kind AS kind, provider, request_model, response_model, model, workflow, if(o.user_id != '', o.user_id, e.execution_user) AS user_id, session_id,
    conversation_id, status, error_type, finish_reasons, stream, time_to_first_token_seconds,
    own(o.input_tokens) AS input_tokens, own(o.output_tokens) AS output_tokens, own(o.cache_read_tokens) AS cache_read_tokens,
    own(o.cache_write_tokens) AS cache_write_tokens, own(o.reasoning_tokens) AS reasoning_tokens, service_tier,
    own(o.cache_write_1h_tokens) AS cache_write_1h_tokens, own(o.audio_input_tokens) AS audio_input_tokens,
    own(o.audio_cache_read_tokens) AS audio_cache_read_tokens, own(o.audio_output_tokens) AS audio_output_tokens,
    counted_usage_source AS usage_source, cost_nano_usd,
    if(cost_nano_usd IS NULL, 'unpriced', 'computed') AS cost_source,
    price_book_version,
    reported_cost_nano_usd
FROM spyglass.$run_owners AS o
LEFT JOIN
(
    SELECT trace_id AS of_trace, execution_id AS of_execution, agent AS agent_name, user_id AS execution_user
    FROM spyglass.$run_executions
) AS e ON of_trace = o.execution_trace AND of_execution = o.execution
WHERE counts_call OR owns_usage
