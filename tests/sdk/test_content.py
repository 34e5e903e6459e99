"""Prompts and outputs: what is kept of them, and in which form."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import spyglass
from spyglass.sdk import content
from spyglass.sdk.jsonable import Jsonable, encode
from spyglass.testing import capture
from tests.sdk.values import JSON

TEXT = {"type": "text", "content": "hi"}
WORDS = st.sampled_from(
    ["role", "content", "parts", "type", "text", "tool_calls", "function", "choices", "output", "message"]
)
MESSAGELIKE = st.recursive(
    st.none() | st.text(max_size=5) | st.sampled_from(["text", "tool_use", "function_call", "image", "thinking"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("hi", [{"role": "user", "parts": [TEXT]}]),
        (["hi"], [{"role": "user", "parts": [TEXT]}]),
        ({"role": "system", "content": "hi"}, [{"role": "system", "parts": [TEXT]}]),
        (
            [
                {
                    "role": "user",
                    "content": [{"type": "text", "text": "hi"}, {"type": "image_url", "image_url": {"url": "u"}}],
                }
            ],
            [{"role": "user", "parts": [TEXT, {"type": "uri", "modality": "image", "uri": "u"}]}],
        ),
        (
            [
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
                },
                {"role": "tool", "tool_call_id": "c", "content": "21"},
            ],
            [
                {"role": "assistant", "parts": [{"type": "tool_call", "id": "c", "name": "f", "arguments": "{}"}]},
                {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c", "response": "21"}]},
            ],
        ),
        (
            {"choices": [{"message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}]},
            [{"role": "assistant", "parts": [TEXT], "finish_reason": "stop"}],
        ),
        (
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm"},
                    {"type": "tool_use", "id": "c", "name": "f", "input": {"a": 1}},
                ],
                "stop_reason": "tool_use",
            },
            [
                {
                    "role": "assistant",
                    "parts": [
                        {"type": "reasoning", "content": "hm"},
                        {"type": "tool_call", "id": "c", "name": "f", "arguments": {"a": 1}},
                    ],
                    "finish_reason": "tool_use",
                }
            ],
        ),
        (
            {
                "output": [
                    {"type": "reasoning", "summary": [{"text": "hm"}]},
                    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "hi"}]},
                    {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
                ]
            },
            [
                {"role": "assistant", "parts": [{"type": "reasoning", "content": "hm"}]},
                {"role": "assistant", "parts": [TEXT]},
                {"role": "assistant", "parts": [{"type": "tool_call", "id": "c", "name": "f", "arguments": "{}"}]},
            ],
        ),
        ([{"role": "user", "parts": [TEXT]}], [{"role": "user", "parts": [TEXT]}]),
        ([{"role": "model", "parts": [{"text": "hi"}]}], [{"role": "model", "parts": [TEXT]}]),
        ([{"type": "text", "text": "hi"}], [{"role": "user", "parts": [TEXT]}]),
        (
            [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "21"}]}],
            [{"role": "user", "parts": [{"type": "tool_call_response", "id": "c", "response": "21"}]}],
        ),
        (
            [{"role": "user", "content": [{"type": "image", "source": {"media_type": "image/png", "data": "AA"}}]}],
            [
                {
                    "role": "user",
                    "parts": [{"type": "blob", "modality": "image", "mime_type": "image/png", "content": "AA"}],
                }
            ],
        ),
        ({"city": "Paris"}, [{"role": "user", "parts": [{"type": "text", "content": '{"city":"Paris"}'}]}]),
        (None, [{"role": "user", "parts": []}]),
    ],
)
def test_messages_of_every_spelling_become_parts(value: Any, expected: Any) -> None:
    """Strings, messages of OpenAI and Anthropic, whole responses and parts all end in one schema."""
    assert content.messages(value, "user") == expected


@settings(max_examples=300)
@given(MESSAGELIKE | JSON)
def test_anything_becomes_messages(value: Any) -> None:
    """Whatever comes in, messages with a role and parts with a type come out, and their JSON can be read."""
    found = content.messages(Jsonable(None)(value), "user")
    for message in json.loads(encode(found)):
        assert isinstance(message["role"], str)
        assert all(isinstance(part, dict) for part in message["parts"])
        assert content.characters(message) >= 0


def test_full_content_is_json_on_the_span() -> None:
    """content=full keeps the texts of input, output and system instructions."""
    with capture(content="full") as captured, spyglass.llm_call("m") as call:
        call.system("be nice")
        call.input([{"role": "user", "content": "hi"}])
        call.output("hi")
    found = captured.attributes("chat m")
    assert json.loads(found["gen_ai.system_instructions"]) == [{"type": "text", "content": "be nice"}]
    assert json.loads(found["gen_ai.input.messages"]) == [{"role": "user", "parts": [TEXT]}]
    assert json.loads(found["gen_ai.output.messages"]) == [{"role": "assistant", "parts": [TEXT]}]
    assert "spyglass.content.truncated" not in found


def test_metadata_keeps_roles_and_lengths_but_no_text() -> None:
    """content=metadata, the default, says who spoke and how much, the system instructions included."""
    with capture() as captured:
        with spyglass.llm_call("m") as call:
            call.system("be nice")
            call.input([{"role": "user", "content": "héllo"}, {"role": "tool", "tool_call_id": "c", "content": "21"}])
            call.output("secret")
        with spyglass.tool("t") as tool:
            tool.arguments({"a": "secret"})
            tool.result("secret")
    found = dict(captured.attributes("chat m"))
    assert found["spyglass.content.input.roles"] == ("system", "user", "tool")
    assert found["spyglass.content.input.lengths"] == (7, 5, 2)
    assert found["spyglass.content.output.roles"] == ("assistant",)
    assert found["spyglass.content.output.lengths"] == (6,)
    tool_found = dict(captured.attributes("execute_tool t"))
    assert tool_found["spyglass.content.input.lengths"] == (len('{"a":"secret"}'),)
    assert tool_found["spyglass.content.output.lengths"] == (6,)
    assert "secret" not in str(found) + str(tool_found)
    assert not any(
        key.startswith(("gen_ai.input", "gen_ai.output", "gen_ai.tool.call")) for key in {**found, **tool_found}
    )


def test_messages_told_again_replace_those_told_before() -> None:
    """The last input counts, in both modes; system instructions stay in front whenever they are told."""
    for mode in ("metadata", "full"):
        with capture(content=mode) as captured, spyglass.llm_call("m") as call:
            call.input(["a", "bb"])
            call.input("ccc")
            call.system("dddd")
        found = captured.attributes("chat m")
        if mode == "metadata":
            assert found["spyglass.content.input.roles"] == ("system", "user")
            assert found["spyglass.content.input.lengths"] == (4, 3)
        else:
            assert found["gen_ai.input.messages"] == '[{"role":"user","parts":[{"type":"text","content":"ccc"}]}]'


def test_off_keeps_nothing_about_content() -> None:
    """content=off leaves neither texts nor lengths."""
    with capture(content="off") as captured, spyglass.llm_call("m") as call, spyglass.tool("t") as tool:
        call.input("secret")
        call.system("secret")
        tool.arguments("secret")
    for span in captured.spans:
        assert not any("content" in key or "messages" in key or "call" in key for key in span.attributes or {})


def test_long_texts_are_cut_each_for_itself() -> None:
    """Each text keeps content_limit characters, the JSON stays whole, and the span says that something was cut."""
    with capture(content="full", content_limit=50, redact=False) as captured, spyglass.llm_call("m") as call:
        call.input([{"role": "user", "content": "a" * 1_000}, {"role": "user", "content": "b" * 10}])
    found = captured.attributes("chat m")
    texts = [message["parts"][0]["content"] for message in json.loads(found["gen_ai.input.messages"])]
    assert texts == ["a" * 50, "b" * 10]
    assert found["spyglass.content.truncated"] is True
