-- Calls that are seen twice, because two libraries were instrumented or because an answer was fetched later: all but one
-- of each. In another scope at the same time, the same response id makes it the same call; where ids are missing, the same
-- tokens do, or, where one of them has none, the same parent, model and outcome. In one scope the same id does, where only
-- one of them has tokens: some providers use an id again. The one with tokens stays, a reported one before an estimate,
-- else the first scope.
INSERT INTO spyglass.$run_twins
SELECT DISTINCT twin.1, twin.2
FROM
(
    SELECT
        p.tree AS tree,
        key,
        arraySort(groupArray((
            NOT reports, usage_source != 'reported', (usage_fault != '', scope_name), p.place, timestamp,
            timestamp + toIntervalNanosecond(duration_ns), response_id, status = 'error', reports, (s.trace_id, s.span_id)
        ))) AS calls
    FROM spyglass.$run_spans AS s
    INNER JOIN spyglass.$run_places AS p ON p.trace_id = s.trace_id AND p.span_id = s.span_id
    INNER JOIN (SELECT trace_id, span_id, up_trace, up_span FROM spyglass.$run_nodes) AS n
        ON n.trace_id = s.trace_id AND n.span_id = s.span_id
    ARRAY JOIN arrayFilter(key -> key != '', [
        if(response_id = '', '', concat('response ', response_id)),
        if(reports, format('tokens {} {}', toString(ifNull(input_tokens, 0)), toString(ifNull(output_tokens, 0))), ''),
        if(model = '', '', format('place {} {} {}', up_trace, up_span, lower(model)))
    ]) AS key
    WHERE p.owns_usage OR p.counts_call
    GROUP BY tree, key
    HAVING count() > 1 AND (startsWith(key, 'response ') OR uniqExact(scope_name) > 1)
)
ARRAY JOIN arrayMap(
    (call, place) -> if(arrayExists(
        other -> multiIf(
            call.3 = other.3, call.7 != '' AND call.7 = other.7 AND NOT (call.9 AND other.9),
            call.5 > other.6 OR other.5 > call.6, false,
            call.7 != '' AND other.7 != '', call.7 = other.7,
            startsWith(key, 'tokens ') OR call.8 = other.8 AND NOT (call.9 AND other.9)
        ),
        arraySlice(calls, 1, place - 1)), call.10, ('', '')),
    calls, arrayEnumerate(calls)
) AS twin
WHERE twin.2 != '';
