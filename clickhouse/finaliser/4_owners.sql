-- The two decisions that all numbers rest on, for each span.
-- execution: that of the nearest agent at or above it; else the one that its sender names (the agent's span may still be
-- under way); a trace without any agent is, when it is swept, one execution of its service, named by the trace.
-- owns_call: whether the tokens and the cost of a model call count here; it is the span of kind llm or embedding.
CREATE TABLE spyglass.$run_owners ENGINE = Memory AS
SELECT
    s.*,
    multiIf(
        p.agent_span_id != '', p.agent_span_id,
        s.execution_id != '', s.execution_id,
        s.swept AND NOT p.has_agent, s.trace_id,
        ''
    ) AS execution,
    (s.kind = 'agent' AND s.span_id = execution)::Bool AS closes,
    (NOT s.swept AND (NOT p.has_agent OR (p.agent_span_id = '' AND s.execution_id != '')))::Bool AS waits,
    multiIf(p.caller_span_id != '', p.caller_span_id, closes AND s.execution_id != s.span_id, s.execution_id, '')
        AS caller_execution,
    (s.kind IN ('llm', 'embedding'))::Bool AS owns_call,
    multiIf(NOT owns_call, NULL, s.kept_span != '', s.kept_cost, spyglass_call_cost_nano_usd(
        s.kind, s.provider, s.model, s.service_tier, s.timestamp, s.input_tokens, s.output_tokens, s.cache_read_tokens,
        s.cache_write_tokens, s.reasoning_tokens, s.cache_write_1h_tokens, s.audio_input_tokens,
        s.audio_cache_read_tokens, s.audio_output_tokens)) AS cost_nano_usd,
    if(s.kept_span != '', s.kept_version, (SELECT max(version) FROM spyglass.price_book_versions)) AS price_book_version,
    (s.input_tokens IS NOT NULL OR s.output_tokens IS NOT NULL) AS has_usage,
    (owns_call AND NOT has_usage AND s.status != 'error')::Bool AS without_usage,
    (owns_call AND has_usage AND cost_nano_usd IS NULL)::Bool AS unpriced
FROM
(
    SELECT * FROM spyglass.$run_spans LEFT JOIN spyglass.$run_kept ON kept_trace = trace_id AND kept_span = span_id
) AS s
INNER JOIN spyglass.$run_places AS p ON p.trace_id = s.trace_id AND p.span_id = s.span_id;
