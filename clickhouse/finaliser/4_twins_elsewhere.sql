-- Where the context is lost between two libraries, a call that both report begins a trace of its own, and has found no
-- place in another. In the same process,
-- in another scope, at the same time, the same response id makes it the same call; where ids are missing, the same tokens do,
-- or, where neither has any, the same outcome and a name of the model that begins alike. Of the two the one that has a place
-- in a greater trace counts, else the one without a known fault, else the outer one. The other may come later: a trace without
-- an agent is looked at again when it is swept.
INSERT INTO spyglass.$run_twins
WITH
    alone AS
    (
        SELECT
            trace_id, span_id, service, instance, scope_name, model, response_id, status, usage_fault != '' AS faulty,
            timestamp AS starts, starts + toIntervalNanosecond(duration_ns) AS ends, key
        FROM spyglass.$run_spans
        ARRAY JOIN arrayFilter(key -> key != '', [
            if(response_id = '', '', concat('response ', response_id)),
            if(reports, format('tokens {} {}', toString(ifNull(input_tokens, 0)), toString(ifNull(output_tokens, 0))), 'none')
        ]) AS key
        WHERE parent_span_id = '' AND kind IN ('llm', 'embedding')
            AND (trace_id, span_id) NOT IN (SELECT inferred_trace, inferred_span FROM spyglass.$run_inferred)
    )
SELECT DISTINCT a.trace_id, a.span_id
FROM alone AS a
INNER JOIN
(
    SELECT
        trace_id, service, instance, scope_name, model, response_id, status, usage_fault != '' AS faulty,
        parent_span_id = '' AS is_root, timestamp AS starts, starts + toIntervalNanosecond(duration_ns) AS ends, key,
        -- where one library reports all, no two are one: in an outage thousands of calls without tokens have the same key
        min(scope_name) OVER alike != max(scope_name) OVER alike AS is_mixed
    FROM spyglass.spans
    ARRAY JOIN arrayFilter(key -> key != '', [
        if(response_id = '', '', concat('response ', response_id)),
        if(ifNull(input_tokens, 0) > 0 OR ifNull(output_tokens, 0) > 0,
            format('tokens {} {}', toString(ifNull(input_tokens, 0)), toString(ifNull(output_tokens, 0))), 'none')
    ]) AS key
    WHERE kind IN ('llm', 'embedding')
        AND timestamp >= (SELECT min(starts) FROM alone) - INTERVAL 10 MINUTE
        AND timestamp <= (SELECT max(ends) FROM alone)
        AND toStartOfHour(timestamp) IN (
            SELECT arrayJoin([toStartOfHour(starts), toStartOfHour(starts - INTERVAL 10 MINUTE), toStartOfHour(ends)]) FROM alone
        )
        AND service IN (SELECT service FROM alone)
    WINDOW alike AS (PARTITION BY service, instance, key)
) AS o ON o.service = a.service AND o.instance = a.instance AND o.key = a.key
WHERE is_mixed AND o.trace_id != a.trace_id AND o.scope_name != a.scope_name
    AND multiIf(
        startsWith(key, 'response '), o.starts <= a.ends AND a.starts <= o.ends,
        o.response_id != '' AND a.response_id != '', false,
        key = 'none' AND (o.status != a.status OR NOT (startsWith(o.model, a.model) OR startsWith(a.model, o.model))
            OR (o.model = '' OR a.model = '') AND a.status != 'error'), false,
        o.starts <= a.starts AND a.ends <= o.ends OR a.starts <= o.starts AND o.ends <= a.ends
    )
    AND (NOT is_root OR (o.faulty, o.starts, -toUnixTimestamp64Nano(o.ends), o.scope_name)
        < (a.faulty, a.starts, -toUnixTimestamp64Nano(a.ends), a.scope_name));
