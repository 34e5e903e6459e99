-- Where the context is lost between two libraries, the inner call begins a trace of its own. It stands, in the same
-- process, inside a call of another scope with the same model and tokens; that one counts, so its trace needs no new look.
-- The outer one may come later: a trace without an agent is looked at again when it is swept.
INSERT INTO spyglass.$run_twins
WITH
    inner_calls AS
    (
        SELECT
            trace_id, span_id, service, instance, scope_name, model, timestamp AS starts,
            starts + toIntervalNanosecond(duration_ns) AS ends, ifNull(input_tokens, 0) AS tokens_in,
            ifNull(output_tokens, 0) AS tokens_out
        FROM spyglass.$run_spans
        WHERE parent_span_id = '' AND kind IN ('llm', 'embedding') AND model != ''
    )
SELECT DISTINCT i.trace_id, i.span_id
FROM inner_calls AS i
INNER JOIN
(
    SELECT
        trace_id, service, instance, scope_name, model, timestamp AS starts,
        starts + toIntervalNanosecond(duration_ns) AS ends, ifNull(input_tokens, 0) AS tokens_in,
        ifNull(output_tokens, 0) AS tokens_out
    FROM spyglass.spans
    WHERE kind IN ('llm', 'embedding')
        AND timestamp >= (SELECT min(starts) FROM inner_calls) - INTERVAL 10 MINUTE
        AND timestamp <= (SELECT max(starts) FROM inner_calls)
        AND toStartOfHour(timestamp) IN (
            SELECT arrayJoin([toStartOfHour(starts), toStartOfHour(starts - INTERVAL 10 MINUTE)]) FROM inner_calls
        )
        AND (service, model) IN (SELECT service, model FROM inner_calls)
) AS o ON o.service = i.service AND o.instance = i.instance AND o.model = i.model
    AND o.tokens_in = i.tokens_in AND o.tokens_out = i.tokens_out
WHERE o.trace_id != i.trace_id AND o.scope_name != i.scope_name AND o.starts <= i.starts AND i.ends <= o.ends
    AND (o.starts < i.starts OR i.ends < o.ends OR o.scope_name < i.scope_name);
