-- The calls of an hour that change: kept as they are, and their traces marked, before the next file writes them.
CREATE TABLE spyglass.$run_changed ENGINE = Memory AS
SELECT *, $present AS present_nano_usd FROM spyglass.llm_calls FINAL WHERE $scope AND $differs;

CREATE TABLE spyglass.$run_whole ENGINE = Memory AS
$whole;

INSERT INTO spyglass.llm_call_restatements
(
    organization, project, agent, kind, provider, model, service_tier, started_at, trace_id, span_id, input_tokens,
    output_tokens, cost_nano_usd, price_book_version, restated_cost_nano_usd, restated_version
)
SELECT
    organization, project, agent, kind, provider, model, service_tier, started_at, trace_id, span_id, input_tokens,
    output_tokens, cost_nano_usd, price_book_version, present_nano_usd, {book:UInt32}
FROM spyglass.$run_changed
WHERE trace_id IN (SELECT trace_id FROM spyglass.$run_whole);

INSERT INTO spyglass.dirty_traces (trace_id, started_at, ended_at)
SELECT trace_id, min(c.started_at), max(c.started_at + toIntervalNanosecond(c.duration_ns))
FROM spyglass.$run_changed AS c
WHERE trace_id IN (SELECT trace_id FROM spyglass.$run_whole)
GROUP BY trace_id;
