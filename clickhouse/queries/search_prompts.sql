-- question: In which prompts and outputs do all of these words stand?
-- parameters: since DateTime64(3), until DateTime64(3), organization String, words String, most UInt32
-- columns: timestamp, trace_id, span_id, project, service, kind, found_in (input, output, both), excerpt (up to 80 characters on each side of the first word)
-- Capitals do not count. The expressions are those of the index of `spyglass warehouse index`, which is used where it is.
WITH
    lowerUTF8({words:String}) AS wanted,
    concat(
        '(?is)(?:^|.{0,80}[^0-9A-Za-z\\x{80}-\\x{10FFFF}])', tokens(wanted)[1],
        '(?:[^0-9A-Za-z\\x{80}-\\x{10FFFF}].{0,80}|$)'
    ) AS around
SELECT
    timestamp,
    trace_id,
    span_id,
    project,
    service,
    kind,
    multiIf(NOT hasAllTokens(lowerUTF8(output), wanted), 'input', NOT hasAllTokens(lowerUTF8(input), wanted), 'output', 'both')
        AS found_in,
    trimBoth(extract(if(found_in = 'output', output, input), around)) AS excerpt
FROM span_content
WHERE organization = {organization:String} AND timestamp >= {since:DateTime64(3)} AND timestamp < {until:DateTime64(3)}
    AND (hasAllTokens(lowerUTF8(input), wanted) OR hasAllTokens(lowerUTF8(output), wanted))
ORDER BY timestamp DESC, trace_id, span_id
LIMIT {most:UInt32}
