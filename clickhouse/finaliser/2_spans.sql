-- Every span of the traces of a round once: the newest, where it came again with another name, agent or tenant.
CREATE TABLE spyglass.$run_spans ENGINE = Memory AS
SELECT
    s.*,
    -- its tokens are those of a call, or a sum of them; a task that repeats some is the bookkeeping of a framework
    ((ifNull(input_tokens, 0) > 0 OR ifNull(output_tokens, 0) > 0) AND NOT (kind = 'task' AND usage_source = 'aggregated'))::Bool
        AS reports,
    t.swept AS swept
FROM
(
    SELECT
        organization, project, environment, service, release, instance, demo, timestamp, duration_ns, trace_id, span_id,
        parent_span_id, scope_name, execution_id, kind, dialect, framework, framework_version, status, error_type,
        provider, request_model, response_model, model, agent, agent_id, agent_version, parent_agent, source_agent, target_agent, workflow, tool,
        tool_call_id, response_id, conversation_id, session_id, user_id, message_id, span_kind,
        links.trace_id AS link_traces, links.span_id AS link_spans,
        arrayExists(name -> spyglass_tells_messages(name), events.name)::Bool AS tells_messages, input_tokens, output_tokens, cache_read_tokens,
        cache_write_tokens, reasoning_tokens, service_tier, cache_write_1h_tokens, audio_input_tokens, audio_cache_read_tokens,
        audio_output_tokens, usage_source, usage_fault, reported_cost_nano_usd, queue_wait_seconds, time_to_first_token_seconds,
        finish_reasons, stream, host, cpu_core_seconds, memory_gb_seconds, gpu_seconds, network_receive_bytes,
        network_transmit_bytes
    FROM spyglass.spans
    WHERE trace_id IN (SELECT trace_id FROM spyglass.$run_traces WHERE round = {round:UInt16})
        AND timestamp >= (SELECT min(first) FROM spyglass.$run_traces WHERE round = {round:UInt16})
        AND timestamp <= (SELECT max(last) FROM spyglass.$run_traces WHERE round = {round:UInt16})
    ORDER BY ingested_at DESC, organization, project, agent, kind, timestamp
    LIMIT 1 BY trace_id, span_id
) AS s
INNER JOIN spyglass.$run_traces AS t ON t.trace_id = s.trace_id;
