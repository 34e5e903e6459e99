-- key: 4
SELECT toUnixTimestamp(time), tool, status, error_type, sum(t.calls), sumIf(t.calls, status = 'error'), sum(t.duration_ns)
FROM rollup_tools_minute AS t GROUP BY time, tool, status, error_type
