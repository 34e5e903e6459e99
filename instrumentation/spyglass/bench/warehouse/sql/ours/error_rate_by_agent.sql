SELECT agent, sum(c.calls) AS calls, sumIf(c.calls, status = 'error') AS errors, errors / calls AS error_share
FROM rollup_calls_minute AS c
WHERE organization = {organization:String} AND time >= {since:DateTime('UTC')} AND time < {until:DateTime('UTC')} AND kind = 'agent'
GROUP BY agent
ORDER BY agent
