-- What did model calls use and cost, and of how many is the cost known? Failed calls without usage cost nothing. One row.
-- columns: tokens (NULL when none was reported), cost_usd (NULL when no call is priced), priced_share (0 to 1)
SELECT
    sumOrNullIf(
        ifNull(input_tokens, 0) + ifNull(output_tokens, 0), input_tokens IS NOT NULL OR output_tokens IS NOT NULL
    ) AS tokens,
    sum(cost_nano_usd) / 1e9 AS cost_usd,
    countIf(cost_source = 'computed') / nullIf(countIf(status != 'error' OR usage_source != 'missing'), 0) AS priced_share
FROM spans
WHERE kind IN ('llm', 'embedding') AND $__timeFilter_ms(timestamp)
    AND @matches(organization) AND @matches(project) AND @matches(agent) AND @matches(request_model, model)
