-- What would change, per day, organization, project and model.
SELECT
    toString(toDate(started_at)) AS day, organization, project, provider, model, count() AS calls,
    countIf(changes) AS changed_calls, countIf(differs AND NOT changes) AS calls_without_spans,
    countIf(before IS NULL) AS unpriced_before, countIf(after IS NULL) AS unpriced_after,
    sum(before) AS before_nano_usd, sum(after) AS after_nano_usd
FROM
(
    SELECT
        started_at, organization, project, provider, model, cost_nano_usd AS before, $differs AS differs,
        differs AND trace_id IN ($whole) AS changes, if(changes, $present, before) AS after
    FROM spyglass.llm_calls FINAL
    WHERE $scope
)
GROUP BY day, organization, project, provider, model
HAVING changed_calls > 0 OR calls_without_spans > 0
ORDER BY day, organization, project, provider, model
