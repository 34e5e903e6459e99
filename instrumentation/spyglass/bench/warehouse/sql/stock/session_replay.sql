-- Every span of the generator names its session, so no traces have to be found first.
SELECT
    Timestamp AS timestamp, TraceId AS trace_id, SpanId AS span_id, ParentSpanId AS parent_span_id,
    SpanAttributes['spyglass.kind'] AS kind, SpanAttributes['gen_ai.agent.name'] AS agent, SpanName AS name,
    if(SpanAttributes['gen_ai.response.model'] != '', SpanAttributes['gen_ai.response.model'], SpanAttributes['gen_ai.request.model']) AS model,
    SpanAttributes['gen_ai.tool.name'] AS tool, lower(StatusCode) AS status, SpanAttributes['error.type'] AS error_type,
    Duration / 1e9 AS duration_seconds,
    toUInt64OrNull(SpanAttributes['gen_ai.usage.input_tokens']) AS input_tokens,
    toUInt64OrNull(SpanAttributes['gen_ai.usage.output_tokens']) AS output_tokens,
    toInt64(round(toFloat64OrNull(SpanAttributes['spyglass.cost.amount']) * 1e9)) AS cost_nano_usd,
    multiIf(
        SpanAttributes['gen_ai.input.messages'] != '', SpanAttributes['gen_ai.input.messages'],
        SpanAttributes['gen_ai.tool.call.arguments'] != '', SpanAttributes['gen_ai.tool.call.arguments'],
        SpanAttributes['gen_ai.retrieval.query.text']) AS input,
    multiIf(
        SpanAttributes['gen_ai.output.messages'] != '', SpanAttributes['gen_ai.output.messages'],
        SpanAttributes['gen_ai.tool.call.result'] != '', SpanAttributes['gen_ai.tool.call.result'],
        SpanAttributes['gen_ai.retrieval.documents']) AS output
FROM otel_traces
WHERE Timestamp >= {since:DateTime64(3, 'UTC')} AND Timestamp < {until:DateTime64(3, 'UTC')}
    AND ResourceAttributes['spyglass.organization'] = {organization:String}
    AND SpanAttributes['session.id'] = {session_id:String}
ORDER BY timestamp, span_id
