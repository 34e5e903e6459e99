-- What was said to models and tools, and by them, in one form, whoever sent it: assembled when it is read, so that no text is
-- stored twice and no insert pays for it. A message is {"role": ..., "parts": [...]}, as gen_ai.input.messages has them.

-- The numbers N of the keys PREFIX.N.*.
CREATE FUNCTION IF NOT EXISTS spyglass_numbers AS (texts, prefix) ->
    arraySort(arrayDistinct(arrayMap(n -> assumeNotNull(n), arrayFilter(n -> isNotNull(n), arrayMap(
        key -> toUInt32OrNull(splitByChar('.', substring(key, length(prefix) + 1))[1]),
        arrayFilter(key -> startsWith(key, prefix), mapKeys(texts)))))));

CREATE FUNCTION IF NOT EXISTS spyglass_text_part AS (content) ->
    if(content = '', [], [concat('{"type":"text","content":', toJSONString(content::String), '}')]);

CREATE FUNCTION IF NOT EXISTS spyglass_call_part AS (id, name, arguments) -> concat(
    '{"type":"tool_call"', if(id = '', '', concat(',"id":', toJSONString(id::String))), ',"name":', toJSONString(name::String),
    ',"arguments":', if(isValidJSON(arguments), arguments, toJSONString(arguments::String)), '}');

CREATE FUNCTION IF NOT EXISTS spyglass_result_part AS (id, result) -> concat(
    '{"type":"tool_call_response"', if(id = '', '', concat(',"id":', toJSONString(id::String))), ',"response":',
    if(isValidJSON(result), result, toJSONString(result::String)), '}');

CREATE FUNCTION IF NOT EXISTS spyglass_message AS (role, parts) ->
    concat('{"role":', toJSONString(role::String), ',"parts":[', arrayStringConcat(parts, ','), ']}');

CREATE FUNCTION IF NOT EXISTS spyglass_list AS (items) ->
    if(empty(items), '', concat('[', arrayStringConcat(items, ','), ']'));

-- The messages that indexed keys spell out: PREFIX.N.INFIX(role, content, contents.M..., tool_calls.M.CALL...).
CREATE FUNCTION IF NOT EXISTS spyglass_indexed_messages AS (texts, prefix, infix, call_infix, function_infix) ->
    spyglass_list(arrayMap(
        at -> spyglass_message(texts[concat(at, 'role')], arrayConcat(
            if(texts[concat(at, 'tool_call_id')] != '',
                [spyglass_result_part(texts[concat(at, 'tool_call_id')], texts[concat(at, 'content')])],
                spyglass_text_part(texts[concat(at, 'content')])),
            arrayFlatten(arrayMap(
                n -> spyglass_text_part(texts[concat(at, 'contents.', toString(n), '.message_content.text')]),
                spyglass_numbers(texts, concat(at, 'contents.')))),
            arrayMap(
                call -> spyglass_call_part(
                    texts[concat(call, 'id')], texts[concat(call, function_infix, 'name')],
                    texts[concat(call, function_infix, 'arguments')]),
                arrayMap(
                    n -> concat(at, 'tool_calls.', toString(n), '.', call_infix),
                    spyglass_numbers(texts, concat(at, 'tool_calls.')))))),
        arrayMap(n -> concat(prefix, toString(n), '.', infix), spyglass_numbers(texts, prefix))));

-- One part as providers write it in JSON (Converse, OpenAI), or as the conventions have it.
CREATE FUNCTION IF NOT EXISTS spyglass_part AS (raw) -> multiIf(
    JSONType(raw) = 'String', spyglass_text_part(JSONExtractString(raw))[1],
    JSONHas(raw, 'type') AND (JSONHas(raw, 'content') OR JSONHas(raw, 'arguments') OR JSONHas(raw, 'response')), raw,
    JSONType(raw, 'text') = 'String', spyglass_text_part(JSONExtractString(raw, 'text'))[1],
    JSONHas(raw, 'toolUse'), spyglass_call_part(
        JSONExtractString(raw, 'toolUse', 'toolUseId'), JSONExtractString(raw, 'toolUse', 'name'),
        JSONExtractRaw(raw, 'toolUse', 'input')),
    JSONHas(raw, 'toolResult'), spyglass_result_part(
        JSONExtractString(raw, 'toolResult', 'toolUseId'), JSONExtractRaw(raw, 'toolResult', 'content')),
    JSONHas(raw, 'function'), spyglass_call_part(
        JSONExtractString(raw, 'id'), JSONExtractString(raw, 'function', 'name'),
        JSONExtractString(raw, 'function', 'arguments')),
    raw);

CREATE FUNCTION IF NOT EXISTS spyglass_parts AS (content) -> multiIf(
    content = '', [],
    JSONType(content) = 'Array', arrayMap(raw -> spyglass_part(raw), JSONExtractArrayRaw(content)),
    JSONType(content) = 'Object', [spyglass_part(content)],
    JSONType(content) = 'String', spyglass_text_part(JSONExtractString(content)),
    spyglass_text_part(content));

-- The message of an event gen_ai.ROLE.message or gen_ai.choice, of which these are the fields, in JSON where they are no text.
CREATE FUNCTION IF NOT EXISTS spyglass_event_message AS (name, content, tool_calls, id) -> spyglass_message(
    if(name = 'gen_ai.choice', 'assistant', splitByChar('.', name)[2]),
    if(name = 'gen_ai.tool.message' AND id != '', [spyglass_result_part(id, content)],
        arrayConcat(spyglass_parts(content), if(tool_calls = '', [], spyglass_parts(tool_calls)))));

-- What rows of one span say together: a whole text, else the messages, which are pairs of a place and a message.
CREATE FUNCTION IF NOT EXISTS spyglass_text AS (whole, messages) -> if(
    whole != '', whole,
    spyglass_list(arrayMap(pair -> pair.2, arraySort(arrayFilter(pair -> pair.2 != '', messages)))));

-- The texts of spans from wherever they came: attributes, events of the span, and logs that name the span. A row has whole
-- texts, or one message of several; who asks puts the rows of a span together, by place.
CREATE VIEW IF NOT EXISTS spyglass.span_texts AS
SELECT
    organization, project, timestamp, trace_id, span_id,
    multiIf(
        c.input != '', c.input,
        arrayExists(key -> startsWith(key, 'llm.input_messages.'), mapKeys(attributes)),
        spyglass_indexed_messages(attributes, 'llm.input_messages.', 'message.', 'tool_call.', 'function.'),
        arrayExists(key -> match(key, '^gen_ai\\.prompt\\.\\d'), mapKeys(attributes)),
        spyglass_indexed_messages(attributes, 'gen_ai.prompt.', '', '', ''),
        arrayFirst(text -> text != '', arrayMap(key -> attributes[key], [
            'input.value', 'traceloop.entity.input', 'langfuse.observation.input', 'gen_ai.prompt', 'ai.prompt.messages',
            'ai.prompt', 'pydantic_ai.all_messages', 'tool.parameters'
        ]))
    ) AS input,
    multiIf(
        c.output != '', c.output,
        arrayExists(key -> startsWith(key, 'llm.output_messages.'), mapKeys(attributes)),
        spyglass_indexed_messages(attributes, 'llm.output_messages.', 'message.', 'tool_call.', 'function.'),
        arrayExists(key -> match(key, '^gen_ai\\.completion\\.\\d'), mapKeys(attributes)),
        spyglass_indexed_messages(attributes, 'gen_ai.completion.', '', '', ''),
        arrayFirst(text -> text != '', arrayMap(key -> attributes[key], [
            'output.value', 'traceloop.entity.output', 'langfuse.observation.output', 'gen_ai.completion', 'ai.response.text',
            'ai.response.object', 'ai.response.toolCalls'
        ]))
    ) AS output,
    c.system AS system, '' AS input_message, '' AS output_message, 0::Int64 AS place
FROM spyglass.span_content AS c FINAL
UNION ALL
SELECT
    organization, project, s.timestamp AS timestamp, trace_id, span_id, '' AS input, '' AS output, '' AS system,
    if(name = 'gen_ai.choice', '', spyglass_event_message(name, texts['content'], texts['tool_calls'], texts['id']))
        AS input_message,
    if(name = 'gen_ai.choice', spyglass_event_message(
        name, if(texts['message'] != '', texts['message'], texts['content']), texts['tool_calls'], ''), '') AS output_message,
    event::Int64 AS place
FROM
(
    SELECT organization, project, timestamp, trace_id, span_id, name, texts, event
    FROM spyglass.spans FINAL
    ARRAY JOIN events.name AS name, events.attributes AS texts, arrayEnumerate(events.name) AS event
    WHERE name IN ('gen_ai.system.message', 'gen_ai.user.message', 'gen_ai.assistant.message', 'gen_ai.tool.message', 'gen_ai.choice')
) AS s
UNION ALL
SELECT
    organization, project, l.timestamp AS timestamp, trace_id, span_id, attributes['gen_ai.input.messages'] AS input,
    attributes['gen_ai.output.messages'] AS output, attributes['gen_ai.system_instructions'] AS system,
    if(event_name IN ('gen_ai.choice', 'gen_ai.client.inference.operation.details'), '', spyglass_event_message(
        event_name, JSONExtractString(body, 'content'), JSONExtractRaw(body, 'tool_calls'), JSONExtractString(body, 'id')))
        AS input_message,
    if(event_name = 'gen_ai.choice', spyglass_event_message(
        event_name, JSONExtractString(body, 'message', 'content'), JSONExtractRaw(body, 'message', 'tool_calls'), ''), '')
        AS output_message,
    toUnixTimestamp64Nano(l.timestamp) AS place
FROM spyglass.logs AS l FINAL
WHERE span_id != '' AND event_name IN (
    'gen_ai.client.inference.operation.details', 'gen_ai.system.message', 'gen_ai.user.message', 'gen_ai.assistant.message',
    'gen_ai.tool.message', 'gen_ai.choice'
);
