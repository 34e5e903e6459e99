-- How long one organization or project keeps its rows, where that is shorter than its tables do. The most exact rule
-- counts: of a project, else of its organization, else the one for everybody. Enforced by
-- `spyglass warehouse retention --apply`, counted from arrival (ingested_at).

CREATE TABLE IF NOT EXISTS spyglass.retention_rules
(
    table_group LowCardinality(String) COMMENT 'the tables of the setting retention_<group>_days',
    organization String COMMENT 'empty: every organization',
    project String COMMENT 'empty: every project of the organization',
    days UInt32,
    changed_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(changed_at)
ORDER BY (table_group, organization, project);
