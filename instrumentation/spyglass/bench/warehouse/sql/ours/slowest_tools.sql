SELECT tool, sum(t.calls) AS calls, quantilesBFloat16Merge(0.5, 0.95, 0.99)(duration_quantiles)[2] / 1e9 AS p95_seconds
FROM rollup_tools_minute AS t
WHERE organization = {organization:String} AND time >= {since:DateTime('UTC')} AND time < {until:DateTime('UTC')}
GROUP BY tool
ORDER BY p95_seconds DESC, tool
