-- Metric points, one table per kind, with the exporter's columns. Identity: (series, time, start time), where a series is
-- (kind, name, resource, scope, attributes). NaN and infinities are values and are stored. Nothing is added up here.

CREATE TABLE IF NOT EXISTS spyglass.metrics_gauge
(
    organization LowCardinality(String),
    project LowCardinality(String),
    series_id UInt64 COMMENT 'hash of kind, name, resource, scope and attributes' CODEC(ZSTD(1)),
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1)),
    ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    ResourceSchemaUrl LowCardinality(String),
    ScopeName LowCardinality(String),
    ScopeVersion LowCardinality(String),
    ScopeAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    ScopeDroppedAttrCount UInt32 CODEC(ZSTD(1)),
    ScopeSchemaUrl LowCardinality(String),
    ServiceName LowCardinality(String),
    MetricName LowCardinality(String),
    MetricDescription LowCardinality(String),
    MetricUnit LowCardinality(String),
    Attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    StartTimeUnix DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    TimeUnix DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    Value Float64 CODEC(ZSTD(1)),
    Flags UInt32 CODEC(ZSTD(1)),
    Exemplars Nested
    (
        FilteredAttributes Map(LowCardinality(String), String),
        TimeUnix DateTime64(9, 'UTC'),
        Value Float64,
        SpanId String,
        TraceId String
    ) CODEC(ZSTD(1)),
    INDEX arrival ingested_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toMonday(TimeUnix)
PRIMARY KEY (organization, project, MetricName, ServiceName, series_id)
ORDER BY (organization, project, MetricName, ServiceName, series_id, TimeUnix, StartTimeUnix)
TTL toDateTime(ingested_at) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS spyglass.otel_metrics_gauge_to_metrics_gauge TO spyglass.metrics_gauge AS
WITH
    Attributes AS a,
    ResourceAttributes AS r
SELECT
    *,
    multiIf(a['spyglass.organization'] != '', a['spyglass.organization'], r['spyglass.organization'] != '', r['spyglass.organization'], 'default') AS organization,
    multiIf(a['spyglass.project'] != '', a['spyglass.project'], r['spyglass.project'] != '', r['spyglass.project'], 'default') AS project,
    sipHash64('gauge', MetricName, mapSort(r), ScopeName, ScopeVersion, mapSort(ScopeAttributes), mapSort(a)) AS series_id
FROM spyglass.otel_metrics_gauge
WHERE TimeUnix >= toDateTime64('2000-01-01 00:00:00', 9, 'UTC') AND TimeUnix <= now64(9) + INTERVAL 1 HOUR;

CREATE MATERIALIZED VIEW IF NOT EXISTS spyglass.otel_metrics_gauge_to_dead_letters TO spyglass.dead_letters AS
SELECT
    'row' AS source,
    'otel_metrics_gauge' AS table_name,
    concat('time ', toString(TimeUnix), if(TimeUnix < toDateTime64('2000-01-01 00:00:00', 9, 'UTC'), ' is before 2000', ' is more than an hour ahead')) AS reason,
    0 AS error_code,
    1 AS rows,
    formatRowNoNewline('JSONEachRow', *) AS body,
    length(body) AS bytes
FROM spyglass.otel_metrics_gauge
WHERE NOT (TimeUnix >= toDateTime64('2000-01-01 00:00:00', 9, 'UTC') AND TimeUnix <= now64(9) + INTERVAL 1 HOUR);

CREATE TABLE IF NOT EXISTS spyglass.metrics_sum
(
    organization LowCardinality(String),
    project LowCardinality(String),
    series_id UInt64 COMMENT 'hash of kind, name, resource, scope and attributes' CODEC(ZSTD(1)),
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1)),
    ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    ResourceSchemaUrl LowCardinality(String),
    ScopeName LowCardinality(String),
    ScopeVersion LowCardinality(String),
    ScopeAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    ScopeDroppedAttrCount UInt32 CODEC(ZSTD(1)),
    ScopeSchemaUrl LowCardinality(String),
    ServiceName LowCardinality(String),
    MetricName LowCardinality(String),
    MetricDescription LowCardinality(String),
    MetricUnit LowCardinality(String),
    Attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    StartTimeUnix DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    TimeUnix DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    Value Float64 CODEC(ZSTD(1)),
    Flags UInt32 CODEC(ZSTD(1)),
    AggregationTemporality Int32 COMMENT '1: delta, 2: cumulative' CODEC(ZSTD(1)),
    IsMonotonic Bool,
    Exemplars Nested
    (
        FilteredAttributes Map(LowCardinality(String), String),
        TimeUnix DateTime64(9, 'UTC'),
        Value Float64,
        SpanId String,
        TraceId String
    ) CODEC(ZSTD(1)),
    INDEX arrival ingested_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toMonday(TimeUnix)
PRIMARY KEY (organization, project, MetricName, ServiceName, series_id)
ORDER BY (organization, project, MetricName, ServiceName, series_id, TimeUnix, StartTimeUnix)
TTL toDateTime(ingested_at) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS spyglass.otel_metrics_sum_to_metrics_sum TO spyglass.metrics_sum AS
WITH
    Attributes AS a,
    ResourceAttributes AS r
SELECT
    *,
    multiIf(a['spyglass.organization'] != '', a['spyglass.organization'], r['spyglass.organization'] != '', r['spyglass.organization'], 'default') AS organization,
    multiIf(a['spyglass.project'] != '', a['spyglass.project'], r['spyglass.project'] != '', r['spyglass.project'], 'default') AS project,
    sipHash64('sum', MetricName, mapSort(r), ScopeName, ScopeVersion, mapSort(ScopeAttributes), mapSort(a)) AS series_id
FROM spyglass.otel_metrics_sum
WHERE TimeUnix >= toDateTime64('2000-01-01 00:00:00', 9, 'UTC') AND TimeUnix <= now64(9) + INTERVAL 1 HOUR;

CREATE MATERIALIZED VIEW IF NOT EXISTS spyglass.otel_metrics_sum_to_dead_letters TO spyglass.dead_letters AS
SELECT
    'row' AS source,
    'otel_metrics_sum' AS table_name,
    concat('time ', toString(TimeUnix), if(TimeUnix < toDateTime64('2000-01-01 00:00:00', 9, 'UTC'), ' is before 2000', ' is more than an hour ahead')) AS reason,
    0 AS error_code,
    1 AS rows,
    formatRowNoNewline('JSONEachRow', *) AS body,
    length(body) AS bytes
FROM spyglass.otel_metrics_sum
WHERE NOT (TimeUnix >= toDateTime64('2000-01-01 00:00:00', 9, 'UTC') AND TimeUnix <= now64(9) + INTERVAL 1 HOUR);

CREATE TABLE IF NOT EXISTS spyglass.metrics_histogram
(
    organization LowCardinality(String),
    project LowCardinality(String),
    series_id UInt64 COMMENT 'hash of kind, name, resource, scope and attributes' CODEC(ZSTD(1)),
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1)),
    ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    ResourceSchemaUrl LowCardinality(String),
    ScopeName LowCardinality(String),
    ScopeVersion LowCardinality(String),
    ScopeAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    ScopeDroppedAttrCount UInt32 CODEC(ZSTD(1)),
    ScopeSchemaUrl LowCardinality(String),
    ServiceName LowCardinality(String),
    MetricName LowCardinality(String),
    MetricDescription LowCardinality(String),
    MetricUnit LowCardinality(String),
    Attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    StartTimeUnix DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    TimeUnix DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    Count UInt64 CODEC(T64, ZSTD(1)),
    Sum Float64 CODEC(ZSTD(1)),
    BucketCounts Array(UInt64) CODEC(ZSTD(1)),
    ExplicitBounds Array(Float64) CODEC(ZSTD(1)),
    Flags UInt32 CODEC(ZSTD(1)),
    Min Float64 COMMENT 'the exporter writes 0 where it is unknown' CODEC(ZSTD(1)),
    Max Float64 COMMENT 'the exporter writes 0 where it is unknown' CODEC(ZSTD(1)),
    AggregationTemporality Int32 COMMENT '1: delta, 2: cumulative' CODEC(ZSTD(1)),
    Exemplars Nested
    (
        FilteredAttributes Map(LowCardinality(String), String),
        TimeUnix DateTime64(9, 'UTC'),
        Value Float64,
        SpanId String,
        TraceId String
    ) CODEC(ZSTD(1)),
    INDEX arrival ingested_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toMonday(TimeUnix)
PRIMARY KEY (organization, project, MetricName, ServiceName, series_id)
ORDER BY (organization, project, MetricName, ServiceName, series_id, TimeUnix, StartTimeUnix)
TTL toDateTime(ingested_at) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS spyglass.otel_metrics_histogram_to_metrics_histogram TO spyglass.metrics_histogram AS
WITH
    Attributes AS a,
    ResourceAttributes AS r
SELECT
    *,
    multiIf(a['spyglass.organization'] != '', a['spyglass.organization'], r['spyglass.organization'] != '', r['spyglass.organization'], 'default') AS organization,
    multiIf(a['spyglass.project'] != '', a['spyglass.project'], r['spyglass.project'] != '', r['spyglass.project'], 'default') AS project,
    sipHash64('histogram', MetricName, mapSort(r), ScopeName, ScopeVersion, mapSort(ScopeAttributes), mapSort(a)) AS series_id
FROM spyglass.otel_metrics_histogram
WHERE TimeUnix >= toDateTime64('2000-01-01 00:00:00', 9, 'UTC') AND TimeUnix <= now64(9) + INTERVAL 1 HOUR;

CREATE MATERIALIZED VIEW IF NOT EXISTS spyglass.otel_metrics_histogram_to_dead_letters TO spyglass.dead_letters AS
SELECT
    'row' AS source,
    'otel_metrics_histogram' AS table_name,
    concat('time ', toString(TimeUnix), if(TimeUnix < toDateTime64('2000-01-01 00:00:00', 9, 'UTC'), ' is before 2000', ' is more than an hour ahead')) AS reason,
    0 AS error_code,
    1 AS rows,
    formatRowNoNewline('JSONEachRow', *) AS body,
    length(body) AS bytes
FROM spyglass.otel_metrics_histogram
WHERE NOT (TimeUnix >= toDateTime64('2000-01-01 00:00:00', 9, 'UTC') AND TimeUnix <= now64(9) + INTERVAL 1 HOUR);

CREATE TABLE IF NOT EXISTS spyglass.metrics_exponential_histogram
(
    organization LowCardinality(String),
    project LowCardinality(String),
    series_id UInt64 COMMENT 'hash of kind, name, resource, scope and attributes' CODEC(ZSTD(1)),
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1)),
    ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    ResourceSchemaUrl LowCardinality(String),
    ScopeName LowCardinality(String),
    ScopeVersion LowCardinality(String),
    ScopeAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    ScopeDroppedAttrCount UInt32 CODEC(ZSTD(1)),
    ScopeSchemaUrl LowCardinality(String),
    ServiceName LowCardinality(String),
    MetricName LowCardinality(String),
    MetricDescription LowCardinality(String),
    MetricUnit LowCardinality(String),
    Attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    StartTimeUnix DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    TimeUnix DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    Count UInt64 CODEC(T64, ZSTD(1)),
    Sum Float64 CODEC(ZSTD(1)),
    Scale Int32 CODEC(ZSTD(1)),
    ZeroCount UInt64 CODEC(T64, ZSTD(1)),
    PositiveOffset Int32 CODEC(ZSTD(1)),
    PositiveBucketCounts Array(UInt64) CODEC(ZSTD(1)),
    NegativeOffset Int32 CODEC(ZSTD(1)),
    NegativeBucketCounts Array(UInt64) CODEC(ZSTD(1)),
    Flags UInt32 CODEC(ZSTD(1)),
    Min Float64 COMMENT 'the exporter writes 0 where it is unknown' CODEC(ZSTD(1)),
    Max Float64 COMMENT 'the exporter writes 0 where it is unknown' CODEC(ZSTD(1)),
    AggregationTemporality Int32 COMMENT '1: delta, 2: cumulative' CODEC(ZSTD(1)),
    Exemplars Nested
    (
        FilteredAttributes Map(LowCardinality(String), String),
        TimeUnix DateTime64(9, 'UTC'),
        Value Float64,
        SpanId String,
        TraceId String
    ) CODEC(ZSTD(1)),
    INDEX arrival ingested_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toMonday(TimeUnix)
PRIMARY KEY (organization, project, MetricName, ServiceName, series_id)
ORDER BY (organization, project, MetricName, ServiceName, series_id, TimeUnix, StartTimeUnix)
TTL toDateTime(ingested_at) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS spyglass.otel_metrics_exponential_histogram_to_metrics_exponential_histogram TO spyglass.metrics_exponential_histogram AS
WITH
    Attributes AS a,
    ResourceAttributes AS r
SELECT
    *,
    multiIf(a['spyglass.organization'] != '', a['spyglass.organization'], r['spyglass.organization'] != '', r['spyglass.organization'], 'default') AS organization,
    multiIf(a['spyglass.project'] != '', a['spyglass.project'], r['spyglass.project'] != '', r['spyglass.project'], 'default') AS project,
    sipHash64('exponential_histogram', MetricName, mapSort(r), ScopeName, ScopeVersion, mapSort(ScopeAttributes), mapSort(a)) AS series_id
FROM spyglass.otel_metrics_exponential_histogram
WHERE TimeUnix >= toDateTime64('2000-01-01 00:00:00', 9, 'UTC') AND TimeUnix <= now64(9) + INTERVAL 1 HOUR;

CREATE MATERIALIZED VIEW IF NOT EXISTS spyglass.otel_metrics_exponential_histogram_to_dead_letters TO spyglass.dead_letters AS
SELECT
    'row' AS source,
    'otel_metrics_exponential_histogram' AS table_name,
    concat('time ', toString(TimeUnix), if(TimeUnix < toDateTime64('2000-01-01 00:00:00', 9, 'UTC'), ' is before 2000', ' is more than an hour ahead')) AS reason,
    0 AS error_code,
    1 AS rows,
    formatRowNoNewline('JSONEachRow', *) AS body,
    length(body) AS bytes
FROM spyglass.otel_metrics_exponential_histogram
WHERE NOT (TimeUnix >= toDateTime64('2000-01-01 00:00:00', 9, 'UTC') AND TimeUnix <= now64(9) + INTERVAL 1 HOUR);

CREATE TABLE IF NOT EXISTS spyglass.metrics_summary
(
    organization LowCardinality(String),
    project LowCardinality(String),
    series_id UInt64 COMMENT 'hash of kind, name, resource, scope and attributes' CODEC(ZSTD(1)),
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1)),
    ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    ResourceSchemaUrl LowCardinality(String),
    ScopeName LowCardinality(String),
    ScopeVersion LowCardinality(String),
    ScopeAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    ScopeDroppedAttrCount UInt32 CODEC(ZSTD(1)),
    ScopeSchemaUrl LowCardinality(String),
    ServiceName LowCardinality(String),
    MetricName LowCardinality(String),
    MetricDescription LowCardinality(String),
    MetricUnit LowCardinality(String),
    Attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    StartTimeUnix DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    TimeUnix DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    Count UInt64 CODEC(T64, ZSTD(1)),
    Sum Float64 CODEC(ZSTD(1)),
    ValueAtQuantiles Nested
    (
        Quantile Float64,
        Value Float64
    ) CODEC(ZSTD(1)),
    Flags UInt32 CODEC(ZSTD(1)),
    INDEX arrival ingested_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toMonday(TimeUnix)
PRIMARY KEY (organization, project, MetricName, ServiceName, series_id)
ORDER BY (organization, project, MetricName, ServiceName, series_id, TimeUnix, StartTimeUnix)
TTL toDateTime(ingested_at) + INTERVAL 30 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS spyglass.otel_metrics_summary_to_metrics_summary TO spyglass.metrics_summary AS
WITH
    Attributes AS a,
    ResourceAttributes AS r
SELECT
    *,
    multiIf(a['spyglass.organization'] != '', a['spyglass.organization'], r['spyglass.organization'] != '', r['spyglass.organization'], 'default') AS organization,
    multiIf(a['spyglass.project'] != '', a['spyglass.project'], r['spyglass.project'] != '', r['spyglass.project'], 'default') AS project,
    sipHash64('summary', MetricName, mapSort(r), ScopeName, ScopeVersion, mapSort(ScopeAttributes), mapSort(a)) AS series_id
FROM spyglass.otel_metrics_summary
WHERE TimeUnix >= toDateTime64('2000-01-01 00:00:00', 9, 'UTC') AND TimeUnix <= now64(9) + INTERVAL 1 HOUR;

CREATE MATERIALIZED VIEW IF NOT EXISTS spyglass.otel_metrics_summary_to_dead_letters TO spyglass.dead_letters AS
SELECT
    'row' AS source,
    'otel_metrics_summary' AS table_name,
    concat('time ', toString(TimeUnix), if(TimeUnix < toDateTime64('2000-01-01 00:00:00', 9, 'UTC'), ' is before 2000', ' is more than an hour ahead')) AS reason,
    0 AS error_code,
    1 AS rows,
    formatRowNoNewline('JSONEachRow', *) AS body,
    length(body) AS bytes
FROM spyglass.otel_metrics_summary
WHERE NOT (TimeUnix >= toDateTime64('2000-01-01 00:00:00', 9, 'UTC') AND TimeUnix <= now64(9) + INTERVAL 1 HOUR);
