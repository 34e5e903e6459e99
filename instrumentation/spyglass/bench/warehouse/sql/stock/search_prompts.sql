WITH
    lowerUTF8({words:String}) AS wanted,
    concat(
        '(?is)(?:^|.{0,80}[^0-9A-Za-z\\x{80}-\\x{10FFFF}])', tokens(wanted)[1],
        '(?:[^0-9A-Za-z\\x{80}-\\x{10FFFF}].{0,80}|$)'
    ) AS around,
    multiIf(
        SpanAttributes['gen_ai.input.messages'] != '', SpanAttributes['gen_ai.input.messages'],
        SpanAttributes['gen_ai.tool.call.arguments'] != '', SpanAttributes['gen_ai.tool.call.arguments'],
        SpanAttributes['gen_ai.retrieval.query.text']) AS input,
    multiIf(
        SpanAttributes['gen_ai.output.messages'] != '', SpanAttributes['gen_ai.output.messages'],
        SpanAttributes['gen_ai.tool.call.result'] != '', SpanAttributes['gen_ai.tool.call.result'],
        SpanAttributes['gen_ai.retrieval.documents']) AS output
SELECT
    Timestamp AS timestamp, TraceId AS trace_id, SpanId AS span_id, ResourceAttributes['spyglass.project'] AS project,
    ServiceName AS service, SpanAttributes['spyglass.kind'] AS kind,
    multiIf(NOT hasAllTokens(lowerUTF8(output), wanted), 'input', NOT hasAllTokens(lowerUTF8(input), wanted), 'output', 'both')
        AS found_in,
    trimBoth(extract(if(found_in = 'output', output, input), around)) AS excerpt
FROM otel_traces
WHERE Timestamp >= {since:DateTime64(3, 'UTC')} AND Timestamp < {until:DateTime64(3, 'UTC')}
    AND ResourceAttributes['spyglass.organization'] = {organization:String}
    AND (hasAllTokens(lowerUTF8(input), wanted) OR hasAllTokens(lowerUTF8(output), wanted))
ORDER BY timestamp DESC, trace_id, span_id
LIMIT {limit:UInt32}
