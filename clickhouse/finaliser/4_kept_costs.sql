-- The calls of closed days that have a cost already and are what they were: they keep it, whatever prices say today.
-- Only a restatement changes it. A call from before price books (version 0) does not know its tier and its parts.
INSERT INTO spyglass.$run_kept
SELECT c.trace_id AS kept_trace, c.span_id AS kept_span, c.cost_nano_usd AS kept_cost, c.price_book_version AS kept_version
FROM spyglass.llm_calls AS c FINAL
INNER JOIN spyglass.$run_spans AS s ON s.trace_id = c.trace_id AND s.span_id = c.span_id
WHERE c.trace_id IN (SELECT trace_id FROM spyglass.$run_traces WHERE first < {costs_closed_before:DateTime('UTC')})
    AND c.started_at >= (SELECT min(first) FROM spyglass.$run_traces)
    AND c.started_at < {costs_closed_before:DateTime('UTC')}
    AND c.cost_nano_usd IS NOT NULL
    AND (c.kind, c.provider, c.model, c.started_at) = (s.kind, s.provider, s.model, s.timestamp)
    -- as text, because NULL is equal to nothing
    AND toString((c.input_tokens, c.output_tokens, c.cache_read_tokens, c.cache_write_tokens, c.reasoning_tokens))
        = toString((s.input_tokens, s.output_tokens, s.cache_read_tokens, s.cache_write_tokens, s.reasoning_tokens))
    AND (c.price_book_version = 0 OR
        toString((c.service_tier, c.cache_write_1h_tokens, c.audio_input_tokens, c.audio_cache_read_tokens,
            c.audio_output_tokens))
        = toString((s.service_tier, s.cache_write_1h_tokens, s.audio_input_tokens, s.audio_cache_read_tokens,
            s.audio_output_tokens)));
