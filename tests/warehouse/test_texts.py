"""What was said, in one form, from whatever keys, events and logs it came."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spyglass.warehouse import finaliser
from tests.warehouse.wire import Server, one, span

pytestmark = pytest.mark.stack

QUESTION = "SELECT input, output, system FROM span_content WHERE trace_id = {t:String}"
DAY = timedelta(days=1)
CALL = {"type": "tool_call", "id": "c-1", "name": "get_weather", "arguments": {"city": "Paris"}}
RESULT = {"type": "tool_call_response", "id": "c-1", "response": "sunny"}
ASKED = [
    {"role": "system", "parts": [{"type": "text", "content": "Be terse."}]},
    {"role": "user", "parts": [{"type": "text", "content": 'Say "rain"?'}]},
]
CALLED = [{"role": "assistant", "parts": [CALL]}]
ANSWERED = [*ASKED, *CALLED, {"role": "tool", "parts": [RESULT]}]
ARGUMENTS = '{"city": "Paris"}'
OPENINFERENCE = {
    "llm.input_messages.0.message.role": "system",
    "llm.input_messages.0.message.content": "Be terse.",
    "llm.input_messages.1.message.role": "user",
    "llm.input_messages.1.message.contents.0.message_content.type": "text",
    "llm.input_messages.1.message.contents.0.message_content.text": 'Say "rain"?',
    "llm.input_messages.2.message.role": "assistant",
    "llm.input_messages.2.message.tool_calls.0.tool_call.id": "c-1",
    "llm.input_messages.2.message.tool_calls.0.tool_call.function.name": "get_weather",
    "llm.input_messages.2.message.tool_calls.0.tool_call.function.arguments": ARGUMENTS,
    "llm.input_messages.3.message.role": "tool",
    "llm.input_messages.3.message.tool_call_id": "c-1",
    "llm.input_messages.3.message.content": "sunny",
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.tool_calls.0.tool_call.id": "c-1",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "get_weather",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": ARGUMENTS,
}
TRACELOOP = {
    "gen_ai.prompt.0.role": "system",
    "gen_ai.prompt.0.content": "Be terse.",
    "gen_ai.prompt.1.role": "user",
    "gen_ai.prompt.1.content": 'Say "rain"?',
    "gen_ai.completion.0.role": "assistant",
    "gen_ai.completion.0.tool_calls.0.id": "c-1",
    "gen_ai.completion.0.tool_calls.0.name": "get_weather",
    "gen_ai.completion.0.tool_calls.0.arguments": ARGUMENTS,
}
MILLISECOND = 1_000_000
numbers = count(7_000_000)


def told(server: Server, attributes: dict[str, str], **columns: Any) -> tuple[str, str, str]:
    """Store one span, let the finaliser come, and return its texts."""
    row = span(next(numbers), attributes, **columns)
    assert server.insert("otel_traces", [row]).status == 200
    return _texts(server, row["TraceId"])


def _texts(server: Server, trace_id: str) -> tuple[str, str, str]:
    admin = server.client("admin")
    assert finaliser.finalise(admin, DAY).caught_up
    admin.close()
    found = server.client("reader").rows(QUESTION, t=trace_id)
    assert len(found) <= 1
    return tuple(found[0].values()) if found else ("", "", "")


@pytest.mark.parametrize(
    ("attributes", "asked", "answered"),
    [(OPENINFERENCE, ANSWERED, CALLED), (TRACELOOP, ASKED, CALLED)],
    ids=["OpenInference", "OpenLLMetry"],
)
def test_indexed_keys_become_messages(
    own_server: Server, attributes: dict[str, str], asked: list[Any], answered: list[Any]
) -> None:
    """Messages that are spelled out in keys with numbers are the messages of the conventions."""
    given, back, _ = told(own_server, attributes)
    assert (json.loads(given), json.loads(back)) == (asked, answered)


def test_messages_of_the_conventions_stay_as_they_are(own_server: Server) -> None:
    """What stands in the conventions' own attributes is not touched, though other keys are there too."""
    sent = {"gen_ai.input.messages": "[1]", "gen_ai.output.messages": "[2]", "gen_ai.system_instructions": "[3]"}
    assert told(own_server, OPENINFERENCE | sent) == ("[1]", "[2]", "[3]")


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"input.value": "a", "output.value": "b"}, ("a", "b", "")),
        ({"traceloop.entity.input": "a", "traceloop.entity.output": "b"}, ("a", "b", "")),
        ({"langfuse.observation.input": "a"}, ("a", "", "")),
        ({"gen_ai.tool.call.arguments": "a", "gen_ai.tool.call.result": "b"}, ("a", "b", "")),
        ({"llm.model_name": "gpt-4o"}, ("", "", "")),
    ],
)
def test_single_keys_give_their_text(own_server: Server, attributes: dict[str, str], expected: tuple[str, ...]) -> None:
    """A text that stands under one key is taken as it is; where there is none, there is none."""
    assert told(own_server, attributes) == expected


CHAT: list[Any] = [
    {"role": "system", "content": "Be terse."},
    {"role": "user", "content": [{"type": "text", "text": 'Say "rain"?'}]},
    {"role": "assistant", "content": None, "tool_calls": [{"id": "c-1", "type": "function"}]},
    {"role": "tool", "tool_call_id": "c-1", "content": "sunny"},
]
CHAT[2]["tool_calls"][0]["function"] = {"name": "get_weather", "arguments": ARGUMENTS}
BLOCKS: list[Any] = [
    {"role": "system", "content": "Be terse."},
    {"role": "user", "content": 'Say "rain"?'},
    {"role": "assistant", "content": [{"type": "tool_use", "id": "c-1", "name": "get_weather"}]},
    {"role": "tool", "content": [{"type": "tool_result", "tool_use_id": "c-1", "content": "sunny"}]},
]
BLOCKS[2]["content"][0]["input"] = {"city": "Paris"}


@pytest.mark.parametrize(
    "said", [CHAT, BLOCKS, {"messages": CHAT, "model": "gpt-4o"}], ids=["OpenAI", "Anthropic", "request"]
)
def test_messages_in_json_become_messages(own_server: Server, said: Any) -> None:
    """Messages as providers take them, in JSON under one key, are the messages of the conventions."""
    answer = {"role": "assistant", "content": "Sunny."}
    given, back, _ = told(own_server, {"input.value": json.dumps(said), "output.value": json.dumps(answer)})
    assert json.loads(given) == ANSWERED
    assert json.loads(back) == [{"role": "assistant", "parts": [{"type": "text", "content": "Sunny."}]}]


def test_own_keys_in_another_form_become_messages_too(own_server: Server) -> None:
    """Where the conventions' keys hold a provider's messages, as AG2 sends them, these become messages and stay."""
    sent = {"gen_ai.input.messages": json.dumps(CHAT), "spyglass.kind": "llm"}
    row = span(next(numbers), sent | {"gen_ai.output.messages": '[{"role":"assistant","parts":[]}]'})
    for _ in range(2):
        assert own_server.insert("otel_traces", [row]).status == 200
        given, back, _ = _texts(own_server, row["TraceId"])
        assert (json.loads(given), back) == (ANSWERED, '[{"role":"assistant","parts":[]}]')
    kept = one(own_server, "SELECT attributes FROM span_content WHERE trace_id = {t:String}", t=row["TraceId"])
    assert kept["attributes"] == {"gen_ai.input.messages": json.dumps(CHAT)}


def test_what_was_sent_stays_beside_what_was_assembled(own_server: Server) -> None:
    """Where a span sends one text under the conventions' key and one under another, both stay, run after run."""
    sent = {"gen_ai.output.messages": "[2]", "gen_ai.system_instructions": "[3]", "input.value": "a"}
    row = span(next(numbers), sent)
    found = []
    assert own_server.insert("otel_traces", [row]).status == 200
    for _ in range(3):
        found.append(_texts(own_server, row["TraceId"]))
        assert own_server.insert("otel_traces", [span(next(numbers), {}, TraceId=row["TraceId"])]).status == 200
    assert found == [("a", "[2]", "[3]")] * 3


def test_arguments_of_a_tool_are_no_messages(own_server: Server) -> None:
    """What a tool is given stays as it is, though it looks like messages."""
    asked, answered = json.dumps(CHAT), json.dumps(CHAT[:1])
    sent = {"spyglass.kind": "tool", "input.value": asked, "gen_ai.tool.call.result": answered}
    assert told(own_server, sent)[:2] == (asked, answered)


@pytest.mark.parametrize(
    "text", ['[{"role": "user"}, 1]', '{"city": "Paris"}', "[1, 2]", "null", '{"role"', '[{"role": "user"}]']
)
def test_json_that_holds_no_messages_stays_a_text(own_server: Server, text: str) -> None:
    """JSON of another form, or none, is the text that was sent."""
    assert told(own_server, {"input.value": text})[0] == text


def test_more_than_ten_messages_stay_in_order(own_server: Server) -> None:
    """Messages are ordered by their numbers, not by the text of their numbers."""
    sent: dict[str, str] = {}
    for number in range(12):
        sent |= {f"gen_ai.prompt.{number}.role": "user", f"gen_ai.prompt.{number}.content": str(number)}
    messages = json.loads(told(own_server, sent)[0])
    assert [message["parts"][0]["content"] for message in messages] == [str(number) for number in range(12)]


def test_ten_thousand_messages_are_assembled(own_server: Server) -> None:
    """A prompt of ten thousand messages, in numbered keys or in JSON, comes out whole, beside others in its batch."""
    keys, parts = "llm.input_messages", "message.contents"
    numbered = {f"{keys}.{at}.message.role": "user" for at in range(10_000)}
    numbered |= {f"{keys}.{at}.message.content": f"text {at}" for at in range(10_000)}
    long = {f"{keys}.0.{parts}.{at}.message_content.text": f"text {at}" for at in range(10_000)}
    whole = {"input.value": json.dumps([{"role": "user", "content": f"text {at}"} for at in range(10_000)])}
    rows = [span(next(numbers), sent) for sent in (numbered, long, whole, {"input.value": "beside"})]
    assert own_server.insert("otel_traces", rows).status == 200
    found = [_texts(own_server, row["TraceId"])[0] for row in rows]
    many, one_message, from_json = (json.loads(text) for text in found[:3])
    expected = [{"type": "text", "content": f"text {at}"} for at in range(10_000)]
    assert [part for message in many for part in message["parts"]] == expected
    assert one_message[0]["parts"] == expected
    assert from_json == many
    assert found[3] == "beside"


def test_events_of_a_span_become_messages(own_server: Server) -> None:
    """Events with messages, as Strands sends them, are messages in order; parts may be those of Converse."""
    events = [
        ("gen_ai.system.message", {"content": '[{"text": "Be terse."}]'}),
        ("gen_ai.user.message", {"content": json.dumps([{"text": 'Say "rain"?'}])}),
        ("gen_ai.assistant.message", {"content": json.dumps([_tool_use()])}),
        ("gen_ai.tool.message", {"content": "sunny", "id": "c-1"}),
        ("gen_ai.choice", {"message": json.dumps([_tool_use()]), "finish_reason": "tool_use"}),
        ("exception", {"exception.message": "no message"}),
    ]
    now = f"{time.time_ns() / 1e9:.9f}"
    columns = {
        "Events.Timestamp": [now] * len(events),
        "Events.Name": [name for name, _ in events],
        "Events.Attributes": [attributes for _, attributes in events],
    }
    given, back, _ = told(own_server, {}, **columns)
    assert (json.loads(given), json.loads(back)) == (ANSWERED, CALLED)


def _tool_use() -> dict[str, Any]:
    return {"toolUse": {"toolUseId": "c-1", "name": "get_weather", "input": {"city": "Paris"}}}


def log(number: int, name: str, body: str, attributes: dict[str, str], at: int) -> dict[str, Any]:
    """Return a log record that names the span of this number."""
    return {
        "Timestamp": f"{at / 1e9:.9f}",
        "TraceId": f"{number:032x}",
        "SpanId": f"{number:016x}",
        "EventName": name,
        "Body": body,
        "LogAttributes": attributes,
        "ServiceName": "planner-service",
        "ResourceAttributes": {"service.name": "planner-service"},
    }


def test_logs_join_their_span(own_server: Server) -> None:
    """Log events with messages are those of the span that they name, old ones one by one, the new one whole."""
    number, whole = next(numbers), next(numbers)
    call = {"id": "c-1", "type": "function", "function": {"name": "get_weather", "arguments": ARGUMENTS}}
    bodies = [
        ("gen_ai.system.message", {"content": "Be terse."}),
        ("gen_ai.user.message", {"content": 'Say "rain"?'}),
        ("gen_ai.assistant.message", {"tool_calls": [call]}),
        ("gen_ai.tool.message", {"id": "c-1", "content": "sunny"}),
        ("gen_ai.choice", {"index": 0, "message": {"role": "assistant", "tool_calls": [call]}}),
    ]
    now = time.time_ns()
    rows = [
        log(number, name, json.dumps(body), {}, now + place * MILLISECOND) for place, (name, body) in enumerate(bodies)
    ]
    details = {"gen_ai.input.messages": "[1]", "gen_ai.output.messages": "[2]", "gen_ai.system_instructions": "[3]"}
    rows.append(log(whole, "gen_ai.client.inference.operation.details", "", details, now))
    rows.append(log(whole, "app.started", "gen_ai", {}, now))
    assert own_server.insert("otel_traces", [span(number), span(whole)]).status == 200
    assert own_server.insert("otel_logs", rows).status == 200
    given, back, _ = _texts(own_server, f"{number:032x}")
    assert (json.loads(given), json.loads(back)) == (ANSWERED, CALLED)
    assert _texts(own_server, f"{whole:032x}") == ("[1]", "[2]", "[3]")


def test_a_log_that_comes_late_is_added(own_server: Server) -> None:
    """Messages in logs are added to texts that were assembled before they came."""
    number, now = next(numbers), time.time_ns()
    asked, answer = (
        log(number, name, json.dumps(body), {}, now + place)
        for place, (name, body) in enumerate(
            [("gen_ai.user.message", {"content": "Rain?"}), ("gen_ai.choice", {"message": {"content": "No."}})]
        )
    )
    assert own_server.insert("otel_traces", [span(number)]).status == 200
    assert own_server.insert("otel_logs", [asked]).status == 200
    given, back, _ = _texts(own_server, f"{number:032x}")
    assert (json.loads(given)[0]["parts"][0]["content"], back) == ("Rain?", "")
    assert own_server.insert("otel_logs", [answer]).status == 200
    later, back, _ = _texts(own_server, f"{number:032x}")
    assert later == given
    assert json.loads(back) == [{"role": "assistant", "parts": [{"type": "text", "content": "No."}]}]


def test_texts_stay_when_their_span_comes_again(own_server: Server) -> None:
    """A span that is sent again keeps its texts and what it sent, and a run that finds them changes nothing."""
    row = span(next(numbers), OPENINFERENCE)
    written = []
    for _ in range(3):
        assert own_server.insert("otel_traces", [row]).status == 200
        assert json.loads(_texts(own_server, row["TraceId"])[0]) == ANSWERED
        asked = "SELECT attributes, assembled FROM span_content WHERE trace_id = {t:String}"
        written.append(one(own_server, asked, t=row["TraceId"]))
    assert written == [{"attributes": OPENINFERENCE, "assembled": ["input", "output"]}] * 3
    other = span(next(numbers), {}, TraceId=row["TraceId"])
    asked = "SELECT ingested_at FROM span_content WHERE trace_id = {t:String}"
    before = one(own_server, asked, t=row["TraceId"])
    assert own_server.insert("otel_traces", [other]).status == 200
    assert json.loads(_texts(own_server, row["TraceId"])[0]) == ANSWERED
    assert one(own_server, asked, t=row["TraceId"]) == before


def test_numbers_do_not_wait_for_texts(new_server: Callable[..., Server], caplog: pytest.LogCaptureFixture) -> None:
    """Where texts cannot be assembled, one line says so, they stay as they were sent, and everything is counted."""
    server = new_server().start()
    server.sql("DROP VIEW spyglass.span_texts")
    row = span(next(numbers), OPENINFERENCE | {"spyglass.kind": "agent", "gen_ai.agent.name": "a"})
    assert server.insert("otel_traces", [row]).status == 200
    assert _texts(server, row["TraceId"]) == ("", "", "")
    assert f"The texts of 1 traces ({row['TraceId']}, ...) stay as they were sent" in caplog.text
    assert one(server, "SELECT count() AS runs FROM fact_agent_executions") == {"runs": 1}
    assert finaliser.finalise(server.client("admin"), DAY).marks == 0


@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(
        st.from_regex(
            r"(llm\.(input|output)_messages|gen_ai\.(prompt|completion))\.[0-9x]{0,12}(\.[a-z_.0-9]{0,20})?",
            fullmatch=True,
        ),
        st.text(max_size=20),
        max_size=6,
    )
)
def test_whatever_stands_in_numbered_keys_is_read(own_server: Server, attributes: dict[str, str]) -> None:
    """Keys without sense, and any texts, give a list of messages or nothing; they never make a question fail."""
    for text in told(own_server, attributes)[:2]:
        assert text == "" or all({"role", "parts"} <= set(message) for message in json.loads(text))
