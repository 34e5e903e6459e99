-- question: Which alerts arrived in the inbox?
-- parameters: since DateTime64(3), organization String
-- columns: received_at (UTC), status, severity, alert, agent, summary, receiver
SELECT received_at, status, severity, alert, agent, summary, receiver
FROM alert_notifications
WHERE received_at >= {since:DateTime64(3)} AND organization IN ('', {organization:String})
ORDER BY received_at DESC
LIMIT 50
