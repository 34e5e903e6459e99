SELECT model, toStartOfHour(time) AS hour, sum(c.cost_nano_usd) AS cost_nano_usd
FROM rollup_calls AS c
WHERE organization = {organization:String} AND time >= {since:DateTime('UTC')} AND time < {until:DateTime('UTC')} AND kind = 'llm'
GROUP BY model, hour
ORDER BY model, hour
