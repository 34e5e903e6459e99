-- question: How are the traces judged, by each name and source?
-- An evaluation counts when it was judged in the range; a corrected one counts once. The range is exact.
-- parameters:
-- - since DateTime64(3, 'UTC') = -7d: start of the range
-- - until DateTime64(3, 'UTC') = now: end of the range, exclusive
-- - organization String = '': only this one (empty: all, without demo data)
-- - project String = '': only this one (empty: all)
-- columns:
-- - organization
-- - project
-- - name: what was judged
-- - source: who judged, such as user, judge, code
-- - evaluations
-- - failed: the judge failed
-- - scored: with a score
-- - mean_score: NULL: no score
-- - min_score
-- - p50_score
-- - max_score
-- - labels: how often each was given
-- - traces: that are named
-- - last_at (UTC)
WITH
    quantileExactInclusiveOrNull(0.5)(score) AS p50
SELECT
    organization, project, name, source, count() AS evaluations, countIf(error_type != '') AS failed,
    count(score) AS scored, avg(score) AS mean_score, min(score) AS min_score, p50 AS p50_score,
    max(score) AS max_score, sumMapIf(map(label, toUInt64(1)), label != '') AS labels,
    uniqExactIf(trace_id, trace_id != '') AS traces, max(timestamp) AS last_at
FROM spyglass.evaluations FINAL
WHERE timestamp >= {since:DateTime64(3, 'UTC')} AND timestamp < {until:DateTime64(3, 'UTC')}
    AND ({organization:String} = '' AND NOT demo OR organization = {organization:String})
    AND ({project:String} = '' OR project = {project:String})
GROUP BY organization, project, name, source
ORDER BY organization, project, name, source
