-- What somebody thought of a trace, a span or a response: the user's thumb, the verdict of a judge. It comes as a log
-- record named gen_ai.evaluation.result (spyglass.feedback, and whoever follows the conventions), or as an event of
-- that name on the span that it judges. The record itself is also in logs, or in the events of its span.
--
-- Identity: what is judged (trace, span, response), under which name, by which source and which user; or, where neither
-- trace nor response is named, log.record.uid or a hash of the record. So an evaluation that comes again, by either way,
-- is one row, and one that is corrected replaces the earlier: the newest by its own time wins, in whatever order they
-- come. evaluation_id is the hash of that, so that the user can be forgotten without a change of the key.
--
-- No partitions: no time follows from the identity, and the versions of a row must lie in one partition. So rows go one
-- by one when their days are over, in one rewrite a day.

CREATE TABLE IF NOT EXISTS spyglass.evaluations
(
    organization LowCardinality(String) COMMENT 'of the sender; that of the trace is in spans',
    project LowCardinality(String),
    environment LowCardinality(String),
    service LowCardinality(String) COMMENT 'that sent it',
    release LowCardinality(String),
    instance String CODEC(ZSTD(1)),
    demo Bool,
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1)),
    timestamp DateTime64(9, 'UTC') COMMENT 'when it was judged' CODEC(Delta(8), ZSTD(1)),
    evaluation_id String CODEC(ZSTD(1)),
    trace_id String COMMENT 'empty: unknown' CODEC(ZSTD(1)),
    span_id String COMMENT 'empty: the whole trace' CODEC(ZSTD(1)),
    response_id String COMMENT 'of the provider, as in spans' CODEC(ZSTD(1)),
    agent LowCardinality(String) COMMENT 'as the sender says',
    name LowCardinality(String) COMMENT 'what was judged, such as helpful',
    score Nullable(Float64) COMMENT 'NULL: none was given' CODEC(ZSTD(1)),
    label LowCardinality(String),
    explanation String CODEC(ZSTD(3)),
    source LowCardinality(String) COMMENT 'who judged, such as user, judge, code',
    user_id String COMMENT 'who judged, where it was a user' CODEC(ZSTD(1)),
    error_type LowCardinality(String) COMMENT 'why the judge failed',
    defects Map(LowCardinality(String), String) COMMENT 'column → what was reported, where that was absurd and is not in the column' CODEC(ZSTD(3)),
    attributes Map(LowCardinality(String), String) COMMENT 'what is in no other column' CODEC(ZSTD(3)),
    INDEX trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(timestamp)
PRIMARY KEY (organization, project, name)
ORDER BY (organization, project, name, trace_id, evaluation_id)
TTL toDateTime(ingested_at) + INTERVAL 90 DAY
SETTINGS materialize_ttl_recalculate_only = 1, merge_with_ttl_timeout = 86400;

CREATE MATERIALIZED VIEW IF NOT EXISTS spyglass.otel_logs_to_evaluations TO spyglass.evaluations AS
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
    lower(hex(sipHash128(
        TraceId, SpanId, response_id, name, source, user_id,
        multiIf(
            TraceId != '' OR response_id != '', '',
            a['log.record.uid'] != '', a['log.record.uid'],
            toString(sipHash128(Timestamp, ServiceName, Body, LogAttributes, ResourceAttributes)))))) AS evaluation_id,
    TraceId AS trace_id,
    SpanId AS span_id,
    a['gen_ai.response.id'] AS response_id,
    a['gen_ai.agent.name'] AS agent,
    a['gen_ai.evaluation.name'] AS name,
    if(isFinite(toFloat64OrNull(a['gen_ai.evaluation.score.value']) AS score_), score_, NULL) AS score,
    a['gen_ai.evaluation.score.label'] AS label,
    a['gen_ai.evaluation.explanation'] AS explanation,
    a['spyglass.evaluation.source'] AS source,
    a['user.id'] AS user_id,
    a['error.type'] AS error_type,
    mapFilter((k, v) -> v != '', map('score', if(score IS NULL, a['gen_ai.evaluation.score.value'], ''))) AS defects,
    mapFilter((k, v) -> k NOT IN (
        'spyglass.organization', 'spyglass.project', 'spyglass.demo', 'log.record.uid', 'event.name',
        'gen_ai.response.id', 'gen_ai.agent.name', 'gen_ai.evaluation.name', 'gen_ai.evaluation.score.value',
        'gen_ai.evaluation.score.label', 'gen_ai.evaluation.explanation', 'spyglass.evaluation.source', 'user.id',
        'error.type'
    ), a) AS attributes
FROM spyglass.otel_logs
WHERE if(EventName != '', EventName, a['event.name']) = 'gen_ai.evaluation.result'
    AND Timestamp >= toDateTime64('2000-01-01 00:00:00', 9, 'UTC') AND Timestamp <= now64(9) + INTERVAL 1 HOUR;

-- An event whose own time is out of range was judged, for all we know, when its span began.
CREATE MATERIALIZED VIEW IF NOT EXISTS spyglass.otel_traces_to_evaluations TO spyglass.evaluations AS
WITH
    SpanAttributes AS a,
    ResourceAttributes AS r,
    moment >= toDateTime64('2000-01-01 00:00:00', 9, 'UTC') AND moment <= now64(9) + INTERVAL 1 HOUR AS timely
SELECT
    multiIf(a['spyglass.organization'] != '', a['spyglass.organization'], r['spyglass.organization'] != '', r['spyglass.organization'], 'default') AS organization,
    multiIf(a['spyglass.project'] != '', a['spyglass.project'], r['spyglass.project'] != '', r['spyglass.project'], 'default') AS project,
    r['deployment.environment.name'] AS environment,
    ServiceName AS service,
    r['service.version'] AS release,
    r['service.instance.id'] AS instance,
    a['spyglass.demo'] = 'true' OR r['spyglass.demo'] = 'true' AS demo,
    if(timely, moment, Timestamp) AS timestamp,
    lower(hex(sipHash128(
        TraceId, SpanId, response_id, name, source, user_id,
        if(TraceId != '' OR response_id != '', '', toString(sipHash128(moment, ServiceName, e, ResourceAttributes)))))) AS evaluation_id,
    TraceId AS trace_id,
    SpanId AS span_id,
    e['gen_ai.response.id'] AS response_id,
    if(e['gen_ai.agent.name'] != '', e['gen_ai.agent.name'], a['gen_ai.agent.name']) AS agent,
    e['gen_ai.evaluation.name'] AS name,
    if(isFinite(toFloat64OrNull(e['gen_ai.evaluation.score.value']) AS score_), score_, NULL) AS score,
    e['gen_ai.evaluation.score.label'] AS label,
    e['gen_ai.evaluation.explanation'] AS explanation,
    e['spyglass.evaluation.source'] AS source,
    e['user.id'] AS user_id,
    e['error.type'] AS error_type,
    mapFilter((k, v) -> v != '', map(
        'score', if(score IS NULL, e['gen_ai.evaluation.score.value'], ''),
        'timestamp', if(timely, '', toString(moment)))) AS defects,
    mapFilter((k, v) -> k NOT IN (
        'gen_ai.response.id', 'gen_ai.agent.name', 'gen_ai.evaluation.name', 'gen_ai.evaluation.score.value',
        'gen_ai.evaluation.score.label', 'gen_ai.evaluation.explanation', 'spyglass.evaluation.source', 'user.id',
        'error.type'
    ), e) AS attributes
FROM spyglass.otel_traces
ARRAY JOIN Events.Timestamp AS moment, Events.Name AS event, Events.Attributes AS e
WHERE event = 'gen_ai.evaluation.result'
    AND Timestamp >= toDateTime64('2000-01-01 00:00:00', 9, 'UTC') AND Timestamp <= now64(9) + INTERVAL 1 HOUR;
