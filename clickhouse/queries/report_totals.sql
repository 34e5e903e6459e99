-- question: How much happened: traces, agent runs, model calls, tokens and cost, and how much of it is known?
-- parameters: since DateTime64(3), organization String
-- columns: traces, runs, failed_runs, model_calls, calls_without_usage, input_tokens, output_tokens, cost_nano_usd, unpriced_calls
SELECT
    uniqExact(trace_id) AS traces,
    countIf(kind = 'agent') AS runs,
    countIf(kind = 'agent' AND status = 'error') AS failed_runs,
    countIf(kind = 'llm') AS model_calls,
    countIf(kind = 'llm' AND usage_source = 'missing') AS calls_without_usage,
    sumIf(input_tokens, kind = 'llm') AS input_tokens,
    sumIf(output_tokens, kind = 'llm') AS output_tokens,
    sumIf(cost_nano_usd, kind IN ('llm', 'embedding')) AS cost_nano_usd,
    countIf(cost_source = 'unpriced') AS unpriced_calls
FROM spans
WHERE timestamp >= {since:DateTime64(3)} AND organization = {organization:String}
