-- Calls of tools, whoever made them.
SELECT
    organization, project, $time AS time,
    row_number() OVER (PARTITION BY organization, project, time ORDER BY tool, status) AS part,
    tool, status, error_type, demo, sum(m.calls) AS calls,
    sum(arraySum(durations_ns)) AS duration_ns, max(arrayMax(durations_ns)) AS longest_ns,
    quantilesBFloat16ArrayState(0.5, 0.95, 0.99)(durations_ns) AS duration_quantiles
FROM spyglass.trace_minutes AS m FINAL
WHERE kind = 'tool' AND $dirty
GROUP BY organization, project, time, tool, status, error_type, demo
