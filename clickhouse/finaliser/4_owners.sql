-- The decisions that all numbers rest on, for each span.
-- execution: that of the nearest agent at or above it; else the one that its sender names (the agent's span may still be
-- under way); a trace without any agent is, when it is swept, one execution of its service, named by the trace.
-- owns_usage: its tokens and their cost count here. counts_call: it is a call of a model. 3_places finds both from the tree,
-- 4_twins those that are seen twice. Most have both; a sum that an agent reports for calls without tokens is no call.
CREATE TABLE spyglass.$run_owners ENGINE = Memory AS
SELECT
    s.*,
    p.tree AS tree,
    p.place AS place,
    multiIf(
        p.agent_span.2 != '', p.agent_span.2,
        s.execution_id != '', s.execution_id,
        s.swept AND NOT p.has_agent, s.trace_id,
        ''
    ) AS execution,
    if(p.agent_span.2 != '', p.agent_span.1, s.trace_id) AS execution_trace,
    (s.kind = 'agent' AND s.span_id = execution)::Bool AS closes,
    (NOT s.swept AND (NOT p.has_agent OR (p.agent_span.2 = '' AND s.execution_id != '')))::Bool AS waits,
    multiIf(p.caller_span.2 != '', p.caller_span.2, closes AND s.execution_id != s.span_id, s.execution_id, '')
        AS caller_execution,
    if(p.caller_span.2 != '', p.caller_span.1, s.trace_id) AS caller_trace,
    if(if(s.kind = 'agent', p.caller_span.2, p.agent_span.2) != '', s.rule, '') AS inferred_from,
    (p.owns_usage AND NOT s.is_twin)::Bool AS owns_usage,
    (p.counts_call AND NOT s.is_twin)::Bool AS counts_call,
    p.counts_tool AS counts_tool,
    if(s.kind = 'embedding', 'embedding', 'llm') AS call_kind,
    multiIf(NOT owns_usage, NULL, s.kept_span != '', s.kept_cost, spyglass_call_cost_nano_usd(
        call_kind, s.provider, s.model, s.service_tier, s.timestamp, s.input_tokens, s.output_tokens, s.cache_read_tokens,
        s.cache_write_tokens, s.reasoning_tokens, s.cache_write_1h_tokens, s.audio_input_tokens,
        s.audio_cache_read_tokens, s.audio_output_tokens)) AS cost_nano_usd,
    if(s.kept_span != '', s.kept_version, (SELECT max(version) FROM spyglass.price_book_versions)) AS price_book_version,
    (counts_call AND NOT owns_usage AND NOT p.is_summed AND s.status != 'error')::Bool AS without_usage,
    multiIf(
        owns_usage AND s.usage_source NOT IN ('', 'missing'), s.usage_source,
        owns_usage, if(s.kind IN ('llm', 'embedding'), 'reported', 'aggregated'),
        p.is_summed AND s.status != 'error', 'aggregated',
        'missing'
    ) AS counted_usage_source,
    (owns_usage AND cost_nano_usd IS NULL)::Bool AS unpriced
FROM
(
    SELECT *, (trace_id, span_id) IN (SELECT twin_trace, twin_span FROM spyglass.$run_twins) AS is_twin
    FROM spyglass.$run_spans
    LEFT JOIN spyglass.$run_kept ON kept_trace = trace_id AND kept_span = span_id
    LEFT JOIN spyglass.$run_inferred ON inferred_trace = trace_id AND inferred_span = span_id
) AS s
INNER JOIN spyglass.$run_places AS p ON p.trace_id = s.trace_id AND p.span_id = s.span_id;
