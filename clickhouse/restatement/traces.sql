SELECT trace_id FROM spyglass.llm_calls FINAL WHERE $scope AND $differs
