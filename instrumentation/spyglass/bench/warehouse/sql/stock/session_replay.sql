SELECT Timestamp AS timestamp, SpanId AS span_id, SpanName AS name, SpanAttributes AS more,
    multiIf(
        mapContains(more, 'gen_ai.input.messages'), more['gen_ai.input.messages'],
        mapContains(more, 'gen_ai.tool.call.arguments'), more['gen_ai.tool.call.arguments'],
        more['gen_ai.retrieval.query.text']) AS input,
    if(mapContains(more, 'gen_ai.output.messages'), more['gen_ai.output.messages'], more['gen_ai.tool.call.result']) AS output
FROM otel_traces
WHERE SpanAttributes['session.id'] = {session_id:String}
    AND ResourceAttributes['spyglass.organization'] = {organization:String}
ORDER BY timestamp, span_id
