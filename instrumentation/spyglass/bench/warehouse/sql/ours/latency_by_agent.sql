SELECT agent, sum(c.calls) AS calls, q[1] / 1e9 AS p50_seconds, q[2] / 1e9 AS p95_seconds,
    quantilesBFloat16Merge(0.5, 0.95, 0.99)(duration_quantiles) AS q
FROM rollup_calls_minute AS c
WHERE organization = {organization:String} AND time >= {since:DateTime('UTC')} AND time < {until:DateTime('UTC')} AND kind = 'agent'
GROUP BY agent
ORDER BY agent
