-- Their texts in the form of the conventions, as span_texts assembles them, where they are not there yet.
INSERT INTO spyglass.span_content
    (organization, project, environment, service, release, instance, demo, timestamp, trace_id, span_id, kind, input,
    output, system, attributes, assembled)
SELECT
    s.organization, s.project, s.environment, s.service, s.release, s.instance, s.demo, s.timestamp, s.trace_id, s.span_id,
    s.kind, t.input, t.output, t.system,
    -- what was sent in another form under the conventions' own keys stays
    mapUpdate(c.attributes, CAST(mapFilter((key, text) -> text != '', map(
        'gen_ai.input.messages', if(c.other_form AND t.input != c.input, c.input, ''),
        'gen_ai.output.messages', if(c.other_form AND t.output != c.output, c.output, ''))), 'Map(LowCardinality(String), String)')),
    arrayMap(side -> side.1, arrayFilter(side -> side.2 OR has(c.assembled, side.1), [
        ('input', t.input != c.input), ('output', t.output != c.output), ('system', t.system != c.system)]))
FROM
(
    SELECT
        trace_id, span_id, spyglass_text(max(x.input), groupArray((place, input_message))) AS input,
        spyglass_text(max(x.output), groupArray((place, output_message))) AS output, max(x.system) AS system
    FROM spyglass.span_texts AS x
    WHERE trace_id IN (SELECT trace_id FROM spyglass.$run_told)
        AND timestamp >= (SELECT min(first) FROM spyglass.$run_traces) - INTERVAL 1 HOUR
        AND timestamp <= (SELECT max(last) FROM spyglass.$run_traces) + INTERVAL 1 HOUR
    GROUP BY trace_id, span_id
) AS t
INNER JOIN spyglass.$run_spans AS s ON s.trace_id = t.trace_id AND s.span_id = t.span_id
LEFT JOIN
(
    SELECT trace_id, span_id, input, output, system, attributes, assembled, other_form
    FROM spyglass.span_content FINAL
    WHERE trace_id IN (SELECT trace_id FROM spyglass.$run_told)
        AND timestamp >= (SELECT min(first) FROM spyglass.$run_traces)
        AND timestamp <= (SELECT max(last) FROM spyglass.$run_traces)
) AS c ON c.trace_id = t.trace_id AND c.span_id = t.span_id
WHERE (t.input, t.output, t.system) != (c.input, c.output, c.system);
