-- question: In which prompts and outputs do all of these words stand?
-- Capitals do not count. The expressions are those of the index of `spyglass warehouse index`, which is used where it is.
-- parameters:
-- - words String: to look for, with anything between them
-- - since DateTime64(3, 'UTC') = -7d: start of the range
-- - until DateTime64(3, 'UTC') = now: end of the range, exclusive
-- - organization String = '': only this one (empty: all, without demo data)
-- - project String = '': only this one (empty: all)
-- - limit UInt32 = 20: most rows
-- columns:
-- - timestamp (UTC): start
-- - trace_id
-- - span_id
-- - project
-- - service
-- - kind
-- - found_in: input, output, both
-- - excerpt: up to 80 characters on each side of the first word
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
FROM spyglass.span_content FINAL
WHERE ({organization:String} = '' AND NOT demo OR organization = {organization:String})
    AND ({project:String} = '' OR project = {project:String})
    AND timestamp >= {since:DateTime64(3, 'UTC')} AND timestamp < {until:DateTime64(3, 'UTC')}
    AND (hasAllTokens(lowerUTF8(input), wanted) OR hasAllTokens(lowerUTF8(output), wanted))
ORDER BY timestamp DESC, trace_id, span_id
LIMIT {limit:UInt32}
