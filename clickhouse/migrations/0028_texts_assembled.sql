-- The texts of 0026, assembled by the finaliser into span_content instead of by whoever reads: there they are searched, and
-- reading a trace does not begin with a quarter of a second of planning. span_texts says what is assembled. In fewer words
-- than in 0026: the engine analyses each function anew wherever it stands. It also puts them in place as they are written:
-- a variable of a function must not be called like one where it is used.

-- Whether a text may be messages in the form of a provider, not of the conventions.
CREATE FUNCTION IF NOT EXISTS spyglass_is_other_form AS (text) ->
    startsWith(text, '[{') AND position(text, '"role"') > 0 AND position(text, '"parts"') = 0;

ALTER TABLE spyglass.span_content
    ADD COLUMN IF NOT EXISTS assembled Array(LowCardinality(String))
        COMMENT 'which of input, output and system were made of other keys, of events or of logs' AFTER attributes,
    ADD COLUMN IF NOT EXISTS other_form Bool DEFAULT kind NOT IN ('tool', 'retrieval') AND empty(assembled)
            AND (spyglass_is_other_form(input) OR spyglass_is_other_form(output))
        COMMENT 'messages may be in another form than that of the conventions' AFTER assembled;

-- Whether an event or a log of this name holds messages.
CREATE FUNCTION IF NOT EXISTS spyglass_tells_messages AS (name) -> name IN (
    'gen_ai.system.message', 'gen_ai.user.message', 'gen_ai.assistant.message', 'gen_ai.tool.message', 'gen_ai.choice',
    'gen_ai.client.inference.operation.details');

-- A message in which nothing is said is none.
CREATE FUNCTION IF NOT EXISTS spyglass_said AS (role, parts) -> if(empty(parts), '', spyglass_message(role, parts));

-- Of the keys PREFIX.N.REST one map of REST for each N, in the order of N: in pieces, because the engine copies what a
-- function looks into for every element, and a prompt may have ten thousand messages.
CREATE FUNCTION IF NOT EXISTS spyglass_key_groups AS (texts, prefix) -> arrayMap(
    entries -> arrayMap(
        entries_of_one -> CAST(arrayMap(entry -> (entry.2, entry.3), entries_of_one), 'Map(String, String)'),
        arraySplit((entry, step) -> step != 0, entries, arrayDifference(arrayMap(entry -> entry.1, entries)))),
    [arraySort(entry -> entry.1, arrayMap(
        (name, text) -> (
            toUInt32(extract(substring(name, length(prefix) + 1), '^\\d+')),
            substring(name, position(name, '.', length(prefix) + 1) + 1), text),
        arrayFilter(name -> startsWith(name, prefix) AND match(substring(name, length(prefix) + 1), '^\\d{1,9}\\.'), mapKeys(texts)),
        arrayFilter(
            (text, name) -> startsWith(name, prefix) AND match(substring(name, length(prefix) + 1), '^\\d{1,9}\\.'),
            mapValues(texts), mapKeys(texts))))])[1];

-- The message that the keys AT* spell out (role, content, contents.M..., tool_calls.M.CALL...).
CREATE FUNCTION IF NOT EXISTS spyglass_message_of_keys AS (texts, at, call_infix, function_infix) -> spyglass_said(
    texts[concat(at, 'role')],
    if(texts[concat(at, 'tool_call_id')] != '',
        [spyglass_result_part(texts[concat(at, 'tool_call_id')], texts[concat(at, 'content')])],
        arrayConcat(
            arrayMap(text -> spyglass_text_part(text)[1], arrayFilter(text -> text != '', arrayPushFront(
                arrayMap(content -> content['message_content.text'], spyglass_key_groups(texts, concat(at, 'contents.'))),
                texts[concat(at, 'content')]))),
            arrayMap(
                call -> spyglass_call_part(
                    call[concat(call_infix, 'id')], call[concat(call_infix, function_infix, 'name')],
                    call[concat(call_infix, function_infix, 'arguments')]),
                spyglass_key_groups(texts, concat(at, 'tool_calls.'))))));

-- One part as providers write it in JSON (Converse, OpenAI, Anthropic), or as the conventions have it.
CREATE FUNCTION IF NOT EXISTS spyglass_part_of_json AS (raw) -> multiIf(
    JSONExtractString(raw, 'type') IN ('text', 'tool_call', 'tool_call_response', 'reasoning')
        AND (JSONHas(raw, 'content') OR JSONHas(raw, 'arguments') OR JSONHas(raw, 'response')), raw,
    JSONType(raw) = 'String' OR JSONType(raw, 'text') = 'String',
    spyglass_text_part(if(JSONType(raw) = 'String', JSONExtractString(raw), JSONExtractString(raw, 'text')))[1],
    JSONHas(raw, 'toolUse') OR JSONHas(raw, 'function') OR JSONExtractString(raw, 'type') = 'tool_use', spyglass_call_part(
        if(JSONHas(raw, 'toolUse'), JSONExtractString(raw, 'toolUse', 'toolUseId'), JSONExtractString(raw, 'id')),
        multiIf(
            JSONHas(raw, 'toolUse'), JSONExtractString(raw, 'toolUse', 'name'),
            JSONHas(raw, 'function'), JSONExtractString(raw, 'function', 'name'), JSONExtractString(raw, 'name')),
        multiIf(
            JSONHas(raw, 'toolUse'), JSONExtractRaw(raw, 'toolUse', 'input'),
            JSONHas(raw, 'function'), JSONExtractString(raw, 'function', 'arguments'), JSONExtractRaw(raw, 'input'))),
    JSONHas(raw, 'toolResult') OR JSONExtractString(raw, 'type') = 'tool_result', spyglass_result_part(
        if(JSONHas(raw, 'toolResult'), JSONExtractString(raw, 'toolResult', 'toolUseId'), JSONExtractString(raw, 'tool_use_id')),
        if(JSONHas(raw, 'toolResult'), JSONExtractRaw(raw, 'toolResult', 'content'), JSONExtractRaw(raw, 'content'))),
    raw);

-- A field of an event as a list of parts in JSON: several, one, or a text.
CREATE FUNCTION IF NOT EXISTS spyglass_json_parts AS (content) -> multiIf(
    content IN ('', 'null'), [],
    JSONType(content) = 'Array', JSONExtractArrayRaw(content),
    JSONType(content) IN ('Object', 'String'), [content],
    [toJSONString(content::String)]);

-- Messages as providers take and give them, in JSON: {"role": ..., "content": ..., "tool_calls": ...}, a list of such, or
-- {"messages": [...]}. Another text stays as it is.
CREATE FUNCTION IF NOT EXISTS spyglass_messages_of_json AS (text) -> arrayFirst(made -> made != '', arrayPushBack(
    arrayMap(
        items -> spyglass_list(if(arrayAll(item -> JSONHas(item, 'role'), items), arrayFilter(made -> made != '', arrayMap(
            item -> spyglass_said(JSONExtractString(item, 'role'), if(
                JSONHas(item, 'tool_call_id'),
                [spyglass_result_part(
                    JSONExtractString(item, 'tool_call_id'),
                    if(JSONType(item, 'content') = 'String', JSONExtractString(item, 'content'), JSONExtractRaw(item, 'content')))],
                arrayMap(raw -> spyglass_part_of_json(raw), arrayFlatten(arrayMap(
                    field -> spyglass_json_parts(JSONExtractRaw(item, field)), ['content', 'tool_calls']))))),
            items)), [])),
        [multiIf(
            JSONType(text) = 'Array', JSONExtractArrayRaw(text), JSONHas(text, 'messages'), JSONExtractArrayRaw(text, 'messages'),
            JSONType(text) = 'Object', [text], [])]),
    text));

DROP VIEW IF EXISTS spyglass.span_texts;
CREATE VIEW IF NOT EXISTS spyglass.span_texts AS
SELECT
    organization, project, timestamp, trace_id, span_id, if(c.input != '', c.input, sides[1]) AS input,
    if(c.output != '', c.output, sides[2]) AS output, c.system AS system, '' AS input_message, '' AS output_message,
    0::Int64 AS place
FROM
(
    SELECT
        organization, project, timestamp, trace_id, span_id, if(other_form OR has(assembled, 'input'), '', own.input) AS input,
        if(other_form OR has(assembled, 'output'), '', own.output) AS output,
        if(has(assembled, 'system'), '', own.system) AS system,
        -- of what is asked, and of what is answered: numbered keys of OpenInference, of OpenLLMetry, single keys
        if((empty(attributes) AND NOT other_form) OR (input != '' AND output != ''), ['', ''], arrayMap(
            found -> multiIf(
                found.1 != '', found.1, kind = 'tool', found.2, spyglass_messages_of_json(found.2)),
            arrayMap(
                side -> (
                    spyglass_list(arrayFilter(made -> made != '', arrayMap(
                        texts -> spyglass_message_of_keys(texts, side.2, side.3, side.4),
                        spyglass_key_groups(attributes, side.1)))),
                    if(
                        other_form AND side.6 != '', side.6,
                        arrayFirst(text -> text != '', arrayMap(key -> attributes[key], side.5)))),
                arrayMap(
                    side -> if(
                        arrayExists(key -> startsWith(key, side.1), mapKeys(attributes)),
                        (side.1, 'message.', 'tool_call.', 'function.', side.3, side.4),
                        (side.2, '', '', '', side.3, side.4)),
                    [
                        ('llm.input_messages.', 'gen_ai.prompt.', [
                            'gen_ai.input.messages', 'input.value', 'traceloop.entity.input', 'langfuse.observation.input',
                            'gen_ai.prompt', 'ai.prompt.messages', 'ai.prompt', 'pydantic_ai.all_messages',
                            'tool.parameters'], own.input),
                        ('llm.output_messages.', 'gen_ai.completion.', [
                            'gen_ai.output.messages', 'output.value', 'traceloop.entity.output',
                            'langfuse.observation.output', 'gen_ai.completion', 'ai.response.text', 'ai.response.object',
                            'ai.response.toolCalls'], own.output)
                    ])))) AS sides
    FROM spyglass.span_content AS own FINAL
) AS c
UNION ALL
SELECT
    organization, project, timestamp, trace_id, span_id, input, output, system, if(answers, '', message) AS input_message,
    if(answers, message, '') AS output_message, place
FROM
(
    SELECT
        *, name = 'gen_ai.choice' AS answers,
        if(name = '', '', spyglass_said(
            if(answers, 'assistant', splitByChar('.', name)[2]),
            if(name = 'gen_ai.tool.message' AND id != '', [spyglass_result_part(id, content)], arrayMap(
                raw -> spyglass_part_of_json(raw),
                arrayFlatten(arrayMap(field -> spyglass_json_parts(field), [content, tool_calls])))))) AS message
    FROM
    (
        SELECT
            organization, project, timestamp, trace_id, span_id, '' AS input, '' AS output, '' AS system, event::String AS name,
            if(name = 'gen_ai.choice' AND texts['message'] != '', texts['message'], texts['content']) AS content,
            texts['tool_calls'] AS tool_calls, texts['id'] AS id, position::Int64 AS place
        FROM spyglass.spans FINAL
        ARRAY JOIN events.name AS event, events.attributes AS texts, arrayEnumerate(events.name) AS position
        WHERE spyglass_tells_messages(event)
        UNION ALL
        SELECT
            organization, project, timestamp, trace_id, span_id, attributes['gen_ai.input.messages'] AS input,
            attributes['gen_ai.output.messages'] AS output, attributes['gen_ai.system_instructions'] AS system,
            if(event_name = 'gen_ai.client.inference.operation.details', '', event_name::String) AS name,
            JSONExtractString(if(event_name = 'gen_ai.choice', JSONExtractRaw(body, 'message'), body) AS said, 'content') AS content,
            JSONExtractRaw(said, 'tool_calls') AS tool_calls, JSONExtractString(said, 'id') AS id,
            toUnixTimestamp64Nano(timestamp) AS place
        FROM spyglass.logs FINAL
        WHERE span_id != '' AND spyglass_tells_messages(event_name)
    )
);

-- A log that holds messages of a span comes on its own: its trace is made again.
CREATE MATERIALIZED VIEW IF NOT EXISTS spyglass.otel_logs_to_dirty_traces TO spyglass.dirty_traces AS
SELECT TraceId AS trace_id, min(Timestamp) AS started_at, max(Timestamp) AS ended_at
FROM spyglass.otel_logs
WHERE TraceId != '' AND SpanId != '' AND spyglass_tells_messages(EventName)
    AND Timestamp >= toDateTime64('2000-01-01 00:00:00', 9, 'UTC') AND Timestamp <= now64(9) + INTERVAL 1 HOUR
GROUP BY TraceId;

-- danger: reads all texts once to see which are in another form, a minute for some tens of millions of spans; the finaliser then makes their traces again.
INSERT INTO spyglass.dirty_traces (trace_id, started_at, ended_at)
SELECT trace_id, min(timestamp), max(timestamp) FROM spyglass.span_content
WHERE notEmpty(attributes) OR other_form GROUP BY trace_id;

-- danger: the same of events.
INSERT INTO spyglass.dirty_traces (trace_id, started_at, ended_at)
SELECT trace_id, min(timestamp), max(timestamp) FROM spyglass.spans
WHERE arrayExists(name -> spyglass_tells_messages(name), events.name) GROUP BY trace_id;

-- danger: and of logs.
INSERT INTO spyglass.dirty_traces (trace_id, started_at, ended_at)
SELECT trace_id, min(timestamp), max(timestamp) FROM spyglass.logs
WHERE trace_id != '' AND span_id != '' AND spyglass_tells_messages(event_name) GROUP BY trace_id;

DROP FUNCTION IF EXISTS spyglass_indexed_messages;
DROP FUNCTION IF EXISTS spyglass_numbers;
DROP FUNCTION IF EXISTS spyglass_event_message;
DROP FUNCTION IF EXISTS spyglass_parts;
DROP FUNCTION IF EXISTS spyglass_part;
