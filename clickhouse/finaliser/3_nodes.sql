-- Where each span stands: in which tree (its trace, or several that are joined), below which span, and, from 1, which
-- number it has there.
CREATE TABLE spyglass.$run_nodes ENGINE = Memory AS
SELECT
    s.trace_id AS trace_id, s.span_id AS span_id, if(t.tree != '', t.tree, s.trace_id) AS tree,
    toUInt32(row_number() OVER (PARTITION BY tree ORDER BY s.trace_id, s.span_id)) AS place,
    if(j.parent_span != '', j.parent_trace, s.trace_id) AS up_trace,
    multiIf(j.parent_span != '', j.parent_span, s.parent_span_id = s.span_id, '', s.parent_span_id) AS up_span,
    s.kind AS kind, s.reports AS reports, (s.status = 'error')::Bool AS failed, lowerUTF8(s.tool) AS tool,
    s.tool_call_id AS tool_call_id
FROM spyglass.$run_spans AS s
LEFT JOIN spyglass.$run_trees AS t ON t.tree_trace = s.trace_id
LEFT JOIN spyglass.$run_joins AS j ON j.joined_trace = s.trace_id AND j.joined_span = s.span_id;
