-- What Alertmanager delivered to the local inbox: one row per alert and delivery, written by the server.

CREATE TABLE IF NOT EXISTS spyglass.alert_notifications
(
    received_at DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    status LowCardinality(String) COMMENT 'firing, resolved',
    alert LowCardinality(String),
    severity LowCardinality(String),
    organization LowCardinality(String),
    project LowCardinality(String),
    agent LowCardinality(String),
    component LowCardinality(String),
    summary String CODEC(ZSTD(1)),
    description String CODEC(ZSTD(1)),
    labels Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    annotations Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    starts_at DateTime64(3, 'UTC'),
    ends_at Nullable(DateTime64(3, 'UTC')),
    fingerprint String,
    group_key String CODEC(ZSTD(1)),
    receiver LowCardinality(String)
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(received_at)
ORDER BY (received_at, fingerprint, status, receiver)
TTL toDateTime(received_at) + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1;
