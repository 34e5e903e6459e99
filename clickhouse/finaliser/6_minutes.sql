-- The minutes and the closed hours of which the totals change: those of what was just written, and of what it replaced.
CREATE TABLE spyglass.$run_touched ENGINE = Memory AS
SELECT DISTINCT organization, project, minute
FROM spyglass.trace_minutes
WHERE trace_id IN (SELECT trace_id FROM spyglass.$run_traces)
    AND minute >= (SELECT toStartOfMinute(toDateTime(min(first), 'UTC')) FROM spyglass.$run_traces)
    AND minute <= (SELECT toDateTime(max(last), 'UTC') FROM spyglass.$run_traces)
    AND version >= {version:UInt64};

CREATE TABLE spyglass.$run_dirty_minutes ENGINE = Memory AS
SELECT organization, project, minute AS time
FROM spyglass.$run_touched
WHERE minute >= {minutes_since:DateTime('UTC')};

-- Hours that close now, and closed ones that are touched.
CREATE TABLE spyglass.$run_dirty_hours ENGINE = Memory AS
SELECT DISTINCT organization, project, toStartOfHour(minute) AS time
FROM spyglass.$run_touched
WHERE minute < {closed_until:DateTime('UTC')}
UNION DISTINCT
SELECT DISTINCT organization, project, toStartOfHour(minute) AS time
FROM spyglass.trace_minutes
WHERE minute >= {closed_before:DateTime('UTC')} AND minute < {closed_until:DateTime('UTC')};
