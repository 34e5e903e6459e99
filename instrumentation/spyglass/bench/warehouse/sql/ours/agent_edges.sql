SELECT caller, callee, sum(e.calls) AS calls, sum(e.errors) AS errors, sum(e.duration_ns) AS duration_ns
FROM rollup_edges_minute AS e
WHERE organization = {organization:String} AND time >= {since:DateTime('UTC')} AND time < {until:DateTime('UTC')} AND callee_kind = 'agent'
GROUP BY caller, callee
ORDER BY caller, callee
