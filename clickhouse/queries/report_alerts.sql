-- question: Which alerts arrived in the inbox?
-- The newest 50.
-- parameters:
-- - since DateTime64(3, 'UTC'): start of the range
-- - organization String: only this one
-- columns:
-- - received_at (UTC)
-- - status
-- - severity
-- - alert
-- - agent
-- - summary
-- - receiver
SELECT received_at, status, severity, alert, agent, summary, receiver
FROM spyglass.alert_notifications
WHERE received_at >= {since:DateTime64(3, 'UTC')} AND organization IN ('', {organization:String})
ORDER BY received_at DESC
LIMIT 50
