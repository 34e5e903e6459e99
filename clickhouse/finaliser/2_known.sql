-- What the traces that come later find these by: the ids of what may be a parent in a row for the trace, of what seeks
-- one in a row of its own. A link names its trace, which is found without.
INSERT INTO spyglass.join_ids (seeks, since, until, trace_id, near, far)
SELECT
    seeks, min(starts) AS since, max(if(seeks, starts, ends)) AS until, trace_id,
    arraySort(groupUniqArrayIf(toUInt32(key), NOT is_far)) AS near, arraySort(groupUniqArrayIf(toUInt32(key), is_far)) AS far
FROM spyglass.$run_keys
WHERE seeks OR rule != 'link'
GROUP BY seeks, trace_id, if(seeks, span_id, '');
