-- question: Which notifications about alerts arrived since a moment, or earlier about alerts that are still open?
-- parameters:
-- - since DateTime64(3, 'UTC'): start of the range
-- columns:
-- - received_at (UTC)
-- - status
-- - alert
-- - severity
-- - organization
-- - agent
-- - summary
-- - receiver
SELECT received_at, status, alert, severity, organization, agent, summary, receiver
FROM spyglass.alert_notifications
WHERE received_at >= {since:DateTime64(3, 'UTC')}
    OR (fingerprint, received_at) IN
    (
        SELECT fingerprint, max(received_at)
        FROM spyglass.alert_notifications
        GROUP BY fingerprint
        HAVING argMax(status, received_at) = 'firing'
    )
ORDER BY received_at, alert, agent
