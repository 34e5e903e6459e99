-- What is known of spans that lost their parent; all of it is filled only where there are any.
-- What holds each span in its own trace, by 3_holders.
CREATE TABLE spyglass.$run_holders (
    trace_id String, span_id String, is_agent Bool, holder String, top String, is_held Bool, agent String, above String,
    has_agent_above Bool
)
ENGINE = Memory;

-- The parents that were found, and which traces are one tree by them, by joins.py.
CREATE TABLE spyglass.$run_joins (joined_trace String, joined_span String, parent_trace String, parent_span String, rule String)
ENGINE = Memory;

CREATE TABLE spyglass.$run_trees (tree_trace String, tree String) ENGINE = Memory;

-- Spans between which and their agent (of an agent: its caller) one of these is, by 3_inferred.
CREATE TABLE spyglass.$run_inferred (inferred_trace String, inferred_span String, rule String) ENGINE = Memory;
