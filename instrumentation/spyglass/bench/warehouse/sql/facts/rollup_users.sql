-- key: 3
SELECT toUnixTimestamp(time), user_id, model, sum(u.executions), sum(u.calls), sum(u.input_tokens), sum(u.output_tokens), sum(u.cost_nano_usd)
FROM rollup_users_minute AS u GROUP BY time, user_id, model
