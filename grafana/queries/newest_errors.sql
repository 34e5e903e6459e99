-- Which spans failed last, where and why? A row per span, the newest first.
-- columns: timestamp, agent, kind, name, error_type, status_message, duration_seconds, service, trace_id
SELECT
    timestamp,
    agent,
    kind,
    name,
    error_type,
    status_message,
    duration_ns / 1e9 AS duration_seconds,
    service,
    trace_id
FROM spans
WHERE status = 'error' AND $__timeFilter_ms(timestamp)
    AND @matches(organization) AND @matches(project) AND @matches(agent)
ORDER BY timestamp DESC
LIMIT 50
