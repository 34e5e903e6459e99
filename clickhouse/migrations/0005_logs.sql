-- Logs. Identity: the sender's log.record.uid where there is one, else a hash of everything the record says; so two
-- records without a uid that agree in every field, to the nanosecond, count once.

CREATE TABLE IF NOT EXISTS spyglass.logs
(
    organization LowCardinality(String),
    project LowCardinality(String),
    environment LowCardinality(String),
    service LowCardinality(String),
    release LowCardinality(String),
    instance String CODEC(ZSTD(1)),
    demo Bool,
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1)),
    timestamp DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    log_id String CODEC(ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    trace_flags UInt8,
    severity_number UInt8 COMMENT 'of OpenTelemetry: 1 to 24; 0: unknown',
    severity LowCardinality(String) COMMENT 'as the sender spells it, else from the number',
    event_name LowCardinality(String),
    body String CODEC(ZSTD(3)),
    scope_name LowCardinality(String),
    scope_version LowCardinality(String),
    scope_attributes Map(LowCardinality(String), String) CODEC(ZSTD(3)),
    attributes Map(LowCardinality(String), String) CODEC(ZSTD(3)),
    resource Map(LowCardinality(String), String) CODEC(ZSTD(3)),
    INDEX trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX arrival ingested_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toMonday(timestamp)
PRIMARY KEY (organization, project, service, toStartOfHour(timestamp))
ORDER BY (organization, project, service, toStartOfHour(timestamp), timestamp, log_id)
TTL toDateTime(ingested_at) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS spyglass.otel_logs_to_logs TO spyglass.logs AS
WITH
    LogAttributes AS a,
    ResourceAttributes AS r
SELECT
    multiIf(a['spyglass.organization'] != '', a['spyglass.organization'], r['spyglass.organization'] != '', r['spyglass.organization'], 'default') AS organization,
    multiIf(a['spyglass.project'] != '', a['spyglass.project'], r['spyglass.project'] != '', r['spyglass.project'], 'default') AS project,
    r['deployment.environment.name'] AS environment,
    ServiceName AS service,
    r['service.version'] AS release,
    r['service.instance.id'] AS instance,
    a['spyglass.demo'] = 'true' OR r['spyglass.demo'] = 'true' AS demo,
    Timestamp AS timestamp,
    if(a['log.record.uid'] != '', a['log.record.uid'], lower(hex(sipHash128(
        Timestamp, TraceId, SpanId, SeverityNumber, SeverityText, ServiceName, Body, EventName, ScopeName,
        ScopeAttributes, LogAttributes, ResourceAttributes)))) AS log_id,
    TraceId AS trace_id,
    SpanId AS span_id,
    TraceFlags AS trace_flags,
    SeverityNumber AS severity_number,
    if(SeverityText != '', SeverityText, ['', 'TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'][intDiv(SeverityNumber + 3, 4) + 1]) AS severity,
    if(EventName != '', EventName, a['event.name']) AS event_name,
    Body AS body,
    ScopeName AS scope_name,
    ScopeVersion AS scope_version,
    ScopeAttributes AS scope_attributes,
    mapFilter((k, v) -> k NOT IN ('spyglass.organization', 'spyglass.project', 'spyglass.demo', 'log.record.uid', 'event.name'), a) AS attributes,
    r AS resource
FROM spyglass.otel_logs
WHERE Timestamp >= toDateTime64('2000-01-01 00:00:00', 9, 'UTC') AND Timestamp <= now64(9) + INTERVAL 1 HOUR;

CREATE MATERIALIZED VIEW IF NOT EXISTS spyglass.otel_logs_to_dead_letters TO spyglass.dead_letters AS
SELECT
    'row' AS source,
    'otel_logs' AS table_name,
    concat('time ', toString(Timestamp), if(Timestamp < toDateTime64('2000-01-01 00:00:00', 9, 'UTC'), ' is before 2000', ' is more than an hour ahead')) AS reason,
    0 AS error_code,
    1 AS rows,
    formatRowNoNewline('JSONEachRow', *) AS body,
    length(body) AS bytes
FROM spyglass.otel_logs
WHERE NOT (Timestamp >= toDateTime64('2000-01-01 00:00:00', 9, 'UTC') AND Timestamp <= now64(9) + INTERVAL 1 HOUR);
