SELECT Timestamp AS timestamp, TraceId AS trace_id,
    substring(SpanAttributes['gen_ai.input.messages'], position(SpanAttributes['gen_ai.input.messages'], {word:String}), 80) AS excerpt
FROM otel_traces
WHERE Timestamp >= {since:DateTime('UTC')} AND Timestamp < {until:DateTime('UTC')}
    AND ResourceAttributes['spyglass.organization'] = {organization:String}
    AND hasToken(SpanAttributes['gen_ai.input.messages'], {word:String})
ORDER BY timestamp DESC, SpanId
LIMIT 20
