INSERT INTO spyglass.$run_inferred
SELECT h.trace_id, h.span_id, j.rule
FROM spyglass.$run_holders AS h
INNER JOIN spyglass.$run_joins AS j ON j.joined_trace = h.trace_id AND j.joined_span = h.top
WHERE if(h.is_agent, NOT h.has_agent_above, NOT h.is_held);
