SELECT SpanAttributes['user.id'] AS user_id,
    sum(toUInt64OrNull(SpanAttributes['gen_ai.usage.input_tokens'])) AS input_tokens,
    sum(toUInt64OrNull(SpanAttributes['gen_ai.usage.output_tokens'])) AS output_tokens
FROM otel_traces
WHERE Timestamp >= {since:DateTime('UTC')} AND Timestamp < {until:DateTime('UTC')}
    AND ResourceAttributes['spyglass.organization'] = {organization:String}
    AND startsWith(SpanName, 'chat ')
GROUP BY user_id
ORDER BY input_tokens DESC, user_id
LIMIT 20
