-- What did model calls cost in each interval, by model? A row per interval and model with a price.
-- columns: time, model, cost_usd
SELECT
    $__timeInterval(timestamp) AS time,
    model,
    sum(cost_nano_usd) / 1e9 AS cost_usd
FROM spans
WHERE kind IN ('llm', 'embedding') AND cost_nano_usd IS NOT NULL AND $__timeFilter_ms(timestamp)
    AND @matches(organization) AND @matches(project) AND @matches(agent) AND @matches(request_model, model)
GROUP BY time, model
ORDER BY time, model
