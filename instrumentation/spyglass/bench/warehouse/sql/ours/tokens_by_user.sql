SELECT user_id, sum(u.input_tokens) AS input_tokens, sum(u.output_tokens) AS output_tokens
FROM rollup_users AS u
WHERE organization = {organization:String} AND time >= {since:DateTime('UTC')} AND time < {until:DateTime('UTC')} AND model != ''
GROUP BY user_id
ORDER BY input_tokens DESC, user_id
LIMIT 20
