SELECT sumIf(c.calls, kind = 'workflow') AS runs, sumIf(c.calls, kind = 'agent') AS executions,
    sumIf(c.calls, kind = 'agent' AND status = 'error') AS errors, sum(c.input_tokens) AS input_tokens,
    sum(c.output_tokens) AS output_tokens, sum(c.cost_nano_usd) AS cost_nano_usd,
    (SELECT uniqExact(user_id) FROM rollup_users WHERE organization = {organization:String} AND time >= {since:DateTime('UTC')} AND time < {until:DateTime('UTC')}) AS users
FROM rollup_calls AS c
WHERE organization = {organization:String} AND time >= {since:DateTime('UTC')} AND time < {until:DateTime('UTC')}
