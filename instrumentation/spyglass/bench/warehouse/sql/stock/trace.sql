WITH
    (SELECT min(Start) FROM otel_traces_trace_id_ts WHERE TraceId = {trace_id:String}) AS first,
    (SELECT max(End) + 1 FROM otel_traces_trace_id_ts WHERE TraceId = {trace_id:String}) AS last
SELECT Timestamp AS timestamp, SpanId AS span_id, ParentSpanId AS parent_span_id, SpanName AS name,
    Duration AS duration_ns, SpanAttributes AS more,
    multiIf(
        mapContains(more, 'gen_ai.input.messages'), more['gen_ai.input.messages'],
        mapContains(more, 'gen_ai.tool.call.arguments'), more['gen_ai.tool.call.arguments'],
        more['gen_ai.retrieval.query.text']) AS input,
    if(mapContains(more, 'gen_ai.output.messages'), more['gen_ai.output.messages'], more['gen_ai.tool.call.result']) AS output
FROM otel_traces
WHERE TraceId = {trace_id:String} AND Timestamp >= first AND Timestamp <= last
ORDER BY timestamp, span_id
