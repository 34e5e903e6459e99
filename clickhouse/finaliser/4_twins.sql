-- Calls that are seen twice and do not count; 4_twins_here and 4_twins_elsewhere fill it, where there may be any.
CREATE TABLE spyglass.$run_twins (twin_trace String, twin_span String) ENGINE = Memory;
