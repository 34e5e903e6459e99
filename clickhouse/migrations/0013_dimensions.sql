-- What executions are looked at by. Days and hours are tables; the others are views of what there is, so that a name that
-- was corrected is gone from them too.

CREATE TABLE IF NOT EXISTS spyglass.dim_date
(
    date_key UInt32 COMMENT 'YYYYMMDD',
    date Date,
    year UInt16,
    quarter UInt8,
    month UInt8,
    iso_week UInt8,
    day UInt8,
    day_of_week UInt8 COMMENT '1: Monday',
    is_weekend Bool
)
ENGINE = ReplacingMergeTree
ORDER BY date_key;

INSERT INTO spyglass.dim_date
SELECT
    toYYYYMMDD(day), day, toYear(day), toQuarter(day), toMonth(day), toISOWeek(day), toDayOfMonth(day),
    toDayOfWeek(day), toDayOfWeek(day) > 5
FROM (SELECT toDate('2000-01-01') + number AS day FROM numbers(36525));

CREATE TABLE IF NOT EXISTS spyglass.dim_hour
(
    hour_key UInt8 COMMENT '0 to 23, UTC',
    label String,
    part_of_day LowCardinality(String)
)
ENGINE = ReplacingMergeTree
ORDER BY hour_key;

INSERT INTO spyglass.dim_hour
SELECT
    number, formatDateTime(toDateTime(number * 3600, 'UTC'), '%H:00'),
    ['night', 'morning', 'afternoon', 'evening'][intDiv(number, 6) + 1]
FROM numbers(24);

CREATE VIEW IF NOT EXISTS spyglass.dim_agent AS
SELECT
    organization, project, service, agent,
    lower(substring(hex(SHA256(concat(organization, '\0', project, '\0', service, '\0', agent))), 1, 16)) AS agent_key,
    min(started_at) AS first_seen, max(started_at) AS last_seen, argMax(agent_version, started_at) AS version,
    argMax(dialect, started_at) AS framework, argMaxIf(models[1], started_at, notEmpty(models)) AS model,
    argMax(release, started_at) AS service_version, argMax(environment, started_at) AS environment,
    max(f.demo) AS demo
FROM spyglass.fact_agent_executions AS f FINAL
GROUP BY organization, project, service, agent;

CREATE VIEW IF NOT EXISTS spyglass.dim_model AS
SELECT
    provider, model, p.source_model AS family, first_seen, last_seen, p.source AS price_source,
    if(has_price, p.input, NULL) AS input_nano_usd_per_million_tokens,
    if(has_price, p.output, NULL) AS output_nano_usd_per_million_tokens,
    if(has_price, p.cache_read, NULL) AS cache_read_nano_usd_per_million_tokens,
    if(has_price, p.cache_write, NULL) AS cache_write_nano_usd_per_million_tokens
FROM
(
    SELECT provider, model, min(time) AS first_seen, max(time) AS last_seen
    FROM spyglass.rollup_calls WHERE model != '' GROUP BY provider, model
) AS seen
LEFT JOIN
(
    SELECT
        provider, model, source, source_model, true AS has_price, steps.input[1] AS input, steps.output[1] AS output,
        steps.cache_read[1] AS cache_read, steps.cache_write[1] AS cache_write
    FROM spyglass.model_prices FINAL
    WHERE now() >= valid_from AND now() < valid_to
) AS p ON p.provider = seen.provider AND p.model = seen.model;

CREATE VIEW IF NOT EXISTS spyglass.dim_tool AS
SELECT organization, project, tool, min(time) AS first_seen, max(time) AS last_seen, max(t.demo) AS demo
FROM spyglass.rollup_tools AS t GROUP BY organization, project, tool;

CREATE VIEW IF NOT EXISTS spyglass.dim_user AS
SELECT organization, project, user_id, min(time) AS first_seen, max(time) AS last_seen, max(u.demo) AS demo
FROM spyglass.rollup_users AS u WHERE user_id != '' GROUP BY organization, project, user_id;

CREATE VIEW IF NOT EXISTS spyglass.dim_project AS
SELECT organization, project, min(time) AS first_seen, max(time) AS last_seen, max(c.demo) AS demo
FROM spyglass.rollup_calls AS c GROUP BY organization, project;

CREATE VIEW IF NOT EXISTS spyglass.dim_organization AS
SELECT organization, min(time) AS first_seen, max(time) AS last_seen, max(c.demo) AS demo
FROM spyglass.rollup_calls AS c GROUP BY organization;
