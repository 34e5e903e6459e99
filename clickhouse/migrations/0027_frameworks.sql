-- The framework that makes an agent's spans, as a column of its own; its version is known where it makes them itself.
ALTER TABLE spyglass.spans
    ADD COLUMN IF NOT EXISTS framework LowCardinality(String) DEFAULT attributes['spyglass.framework']
        COMMENT 'that makes these spans or is instrumented; empty: they do not say' AFTER dialect,
    ADD COLUMN IF NOT EXISTS framework_version LowCardinality(String) DEFAULT attributes['spyglass.framework.version']
        COMMENT 'known where the framework itself makes the spans' AFTER framework;
ALTER TABLE spyglass.fact_agent_executions
    ADD COLUMN IF NOT EXISTS framework LowCardinality(String) COMMENT 'of the agent''s span; empty: it does not say' AFTER agent_version,
    ADD COLUMN IF NOT EXISTS framework_version LowCardinality(String) AFTER framework,
    COMMENT COLUMN dialect 'in which the agent''s span is written';

-- As in 0013, with the framework instead of the dialect.
DROP VIEW IF EXISTS spyglass.dim_agent;
CREATE VIEW IF NOT EXISTS spyglass.dim_agent AS
SELECT
    organization, project, service, agent,
    lower(substring(hex(SHA256(concat(organization, '\0', project, '\0', service, '\0', agent))), 1, 16)) AS agent_key,
    min(started_at) AS first_seen, max(started_at) AS last_seen, argMax(agent_version, started_at) AS version,
    argMax(f.framework, started_at) AS framework, argMax(f.framework_version, started_at) AS framework_version,
    argMaxIf(models[1], started_at, notEmpty(models)) AS model, argMax(release, started_at) AS service_version,
    argMax(environment, started_at) AS environment, max(f.demo) AS demo
FROM spyglass.fact_agent_executions AS f FINAL
GROUP BY organization, project, service, agent;
