-- What a trace of the generator is made of (telemetry.py); the wire's rows are made of these.
CREATE DATABASE IF NOT EXISTS bench;

CREATE TABLE IF NOT EXISTS bench.base ($columns, INDEX traces trace_no TYPE minmax GRANULARITY 1)
ENGINE = MergeTree
ORDER BY (base_day, trace_no, span_no);
