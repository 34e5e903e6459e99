-- The calls whose cost stands; 4_kept_costs fills it, where a trace reaches back into a closed day.
CREATE TABLE spyglass.$run_kept (kept_trace String, kept_span String, kept_cost Nullable(Int64), kept_version UInt64)
ENGINE = Memory;
