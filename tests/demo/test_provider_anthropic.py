"""Call the fake provider with Anthropic's own client library."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import pytest

from spyglass.demo.provider import Provider
from spyglass.demo.provider.model import SNAPSHOTS

MODEL = "claude-haiku-4-5"
TOOL: Any = {"name": "weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}


@pytest.fixture
def client(provider: Provider) -> Iterator[anthropic.Anthropic]:
    """Return a client that does not retry, so that each call is one request."""
    with anthropic.Anthropic(base_url=provider.url, api_key="test", max_retries=0) as made:
        yield made


def _questions(count: int) -> list[Any]:
    return [[{"role": "user", "content": f"How is the weather in town {number}?"}] for number in range(count)]


def test_messages_report_input_without_the_cache(client: anthropic.Anthropic, provider: Provider) -> None:
    """What a message reports adds up, cache reads and writes included, to the inclusive input of its row."""
    for question in _questions(8):
        reply = client.messages.create(model=MODEL, max_tokens=200, messages=question)
        call = provider.truth.calls()[-1]
        usage = reply.usage
        assert usage.cache_read_input_tokens == call.cache_read_tokens
        assert usage.cache_creation_input_tokens == call.cache_write_tokens
        reported = usage.input_tokens + (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)
        assert (reported, usage.output_tokens) == (call.input_tokens, call.output_tokens)
        assert (call.api, call.response_id, reply.model) == ("messages", reply.id, SNAPSHOTS[MODEL])
    calls = provider.truth.calls()
    assert any(call.cache_read_tokens for call in calls)
    assert any(call.cache_write_tokens for call in calls)


def test_messages_call_each_tool_once_and_then_answer(client: anthropic.Anthropic) -> None:
    """A tool is used first, and after its result comes text."""
    (messages,) = _questions(1)
    first = client.messages.create(model=MODEL, max_tokens=200, messages=messages, tools=[TOOL])
    (used,) = first.content
    assert (first.stop_reason, used.type) == ("tool_use", "tool_use")
    assert isinstance(used, anthropic.types.ToolUseBlock)
    result = {"type": "tool_result", "tool_use_id": used.id, "content": "21 degrees"}
    messages += [{"role": "assistant", "content": [used.model_dump()]}, {"role": "user", "content": [result]}]
    second = client.messages.create(model=MODEL, max_tokens=200, messages=messages, tools=[TOOL])
    assert (second.stop_reason, second.content[0].type) == ("end_turn", "text")


@pytest.mark.parametrize("tools", [[], [TOOL]])
def test_messages_stream_ends_with_the_true_counts(
    client: anthropic.Anthropic, provider: Provider, tools: list[Any]
) -> None:
    """A stream's final message holds the counts of its row."""
    (question,) = _questions(1)
    with client.messages.stream(model=MODEL, max_tokens=200, messages=question, tools=tools) as stream:
        final = stream.get_final_message()
    (call,) = provider.truth.calls()
    assert final.usage.output_tokens == call.output_tokens
    assert (call.stream, call.usage_reported) == (True, True)
    assert final.content[0].type == ("tool_use" if tools else "text")


@pytest.mark.parametrize(
    ("failure", "error"), [("fail429", anthropic.RateLimitError), ("fail400", anthropic.BadRequestError)]
)
def test_failing_models_fail(
    client: anthropic.Anthropic, provider: Provider, failure: str, error: type[anthropic.APIStatusError]
) -> None:
    """A model with a failure in its name answers that error in Anthropic's form."""
    (question,) = _questions(1)
    with pytest.raises(error) as raised:
        client.messages.create(model=f"{MODEL}-{failure}", max_tokens=200, messages=question)
    assert isinstance(raised.value.body, dict)
    assert raised.value.body["type"] == "error"
    assert [call.ok for call in provider.truth.calls()] == [False]
