WITH
    (SELECT min(Start) FROM otel_traces_trace_id_ts WHERE TraceId = {trace_id:String}) AS first,
    (SELECT max(End) + 1 FROM otel_traces_trace_id_ts WHERE TraceId = {trace_id:String}) AS last
SELECT
    Timestamp AS timestamp, SpanAttributes['spyglass.kind'] AS kind, SpanId AS span_id, ParentSpanId AS parent_span_id,
    ServiceName AS service, SpanAttributes['gen_ai.agent.name'] AS agent, SpanName AS name,
    if(SpanAttributes['gen_ai.response.model'] != '', SpanAttributes['gen_ai.response.model'], SpanAttributes['gen_ai.request.model']) AS model,
    SpanAttributes['gen_ai.tool.name'] AS tool, lower(StatusCode) AS status, SpanAttributes['error.type'] AS error_type,
    StatusMessage AS status_message, Duration / 1e9 AS duration_seconds,
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
        SpanAttributes['gen_ai.retrieval.documents']) AS output,
    SpanAttributes['gen_ai.system_instructions'] AS system, SpanAttributes AS attributes
FROM otel_traces
WHERE TraceId = {trace_id:String} AND Timestamp >= first AND Timestamp <= last
ORDER BY timestamp, span_id
