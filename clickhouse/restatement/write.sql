INSERT INTO spyglass.llm_calls ($columns)
SELECT $selected FROM spyglass.$run_changed WHERE trace_id IN (SELECT trace_id FROM spyglass.$run_whole)
