SELECT timestamp, trace_id, substring(input, position(input, {word:String}), 80) AS excerpt
FROM span_content
WHERE organization = {organization:String} AND timestamp >= {since:DateTime('UTC')} AND timestamp < {until:DateTime('UTC')}
    AND kind = 'llm' AND hasToken(input, {word:String})
ORDER BY timestamp DESC, span_id
LIMIT 20
