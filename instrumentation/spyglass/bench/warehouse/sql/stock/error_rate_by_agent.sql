SELECT
    ResourceAttributes['spyglass.organization'] AS organization, ResourceAttributes['spyglass.project'] AS project,
    ServiceName AS service, SpanAttributes['gen_ai.agent.name'] AS agent, count() AS executions,
    countIf(StatusCode = 'Error') AS errors, errors / executions AS error_ratio
FROM otel_traces
WHERE Timestamp >= {since:DateTime64(3, 'UTC')} AND Timestamp < {until:DateTime64(3, 'UTC')}
    AND ResourceAttributes['spyglass.organization'] = {organization:String}
    AND startsWith(SpanName, 'invoke_agent ')
GROUP BY organization, project, service, agent
ORDER BY error_ratio DESC, executions DESC, organization, project, service, agent
