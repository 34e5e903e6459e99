-- The parents that were found, which traces are one tree by them, and spans between which and their agent (of an agent:
-- its caller) one of these is. joins.py fills the first two, 3_inferred the third, where there are any.
CREATE TABLE spyglass.$run_joins (joined_trace String, joined_span String, parent_trace String, parent_span String, rule String)
ENGINE = Memory;

CREATE TABLE spyglass.$run_trees (tree_trace String, tree String) ENGINE = Memory;

CREATE TABLE spyglass.$run_inferred (inferred_trace String, inferred_span String, rule String) ENGINE = Memory;
