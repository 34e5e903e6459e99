SELECT toStartOfHour(started_at) AS hour FROM spyglass.llm_calls FINAL WHERE $scope AND $differs
GROUP BY hour ORDER BY hour
