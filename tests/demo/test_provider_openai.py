"""Call the fake provider with OpenAI's own client library."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionToolParam
from pydantic import BaseModel

from spyglass.demo.provider import Provider
from spyglass.demo.provider.model import SNAPSHOTS

QUESTION: list[Any] = [{"role": "user", "content": "How is the weather in Lisbon?"}]
PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}, "unit": {"enum": ["C", "F"]}},
    "required": ["city", "days", "unit"],
}
WEATHER: ChatCompletionToolParam = {"type": "function", "function": {"name": "weather", "parameters": PARAMETERS}}


@pytest.fixture
def client(provider: Provider) -> Iterator[openai.OpenAI]:
    """Return a client that does not retry, so that each call is one request."""
    with openai.OpenAI(base_url=f"{provider.url}/v1", api_key="test", max_retries=0) as made:
        yield made


def test_chat_reports_the_tokens_that_the_truth_holds(client: openai.OpenAI, provider: Provider) -> None:
    """A chat completion's id, model and token counts are those of its row."""
    reply = client.chat.completions.create(model="gpt-4o", messages=QUESTION)
    (call,) = provider.truth.calls()
    assert reply.usage is not None
    assert reply.choices[0].finish_reason == "stop"
    assert reply.choices[0].message.content
    assert (call.api, call.model, call.response_model) == ("chat", "gpt-4o", SNAPSHOTS["gpt-4o"])
    assert (call.response_id, call.response_model) == (reply.id, reply.model)
    assert (call.input_tokens, call.output_tokens) == (reply.usage.prompt_tokens, reply.usage.completion_tokens)
    assert reply.usage.prompt_tokens_details is not None
    assert call.cache_read_tokens == reply.usage.prompt_tokens_details.cached_tokens
    assert (call.ok, call.stream, call.usage_reported) == (True, False, True)


def test_reasoning_models_report_reasoning_inside_output(client: openai.OpenAI, provider: Provider) -> None:
    """A reasoning model's output tokens include its reasoning tokens."""
    reply = client.chat.completions.create(model="gpt-5-mini", messages=QUESTION)
    (call,) = provider.truth.calls()
    assert reply.usage is not None
    assert reply.usage.completion_tokens_details is not None
    assert call.reasoning_tokens == reply.usage.completion_tokens_details.reasoning_tokens
    assert call.reasoning_tokens
    assert call.output_tokens is not None
    assert call.output_tokens > call.reasoning_tokens


def test_chat_calls_each_tool_once_and_then_answers(client: openai.OpenAI) -> None:
    """An offered tool is called with arguments that fit its schema; after its result comes text."""
    messages = list(QUESTION)
    first = client.chat.completions.create(model="gpt-4o", messages=messages, tools=[WEATHER]).choices[0]
    assert first.finish_reason == "tool_calls"
    assert first.message.tool_calls is not None
    (asked,) = first.message.tool_calls
    assert asked.type == "function"
    assert asked.function.name == "weather"
    messages.append(first.message.model_dump(exclude_none=True))
    messages.append({"role": "tool", "tool_call_id": asked.id, "content": "21 degrees"})
    second = client.chat.completions.create(model="gpt-4o", messages=messages, tools=[WEATHER]).choices[0]
    assert second.finish_reason == "stop"
    assert second.message.content


def test_chat_calls_the_tool_again_for_the_next_question(client: openai.OpenAI) -> None:
    """Tools called for an earlier question of the conversation are called again for a new one."""
    function = {"name": "weather", "arguments": "{}"}
    earlier = {"role": "assistant", "tool_calls": [{"id": "call_1", "type": "function", "function": function}]}
    messages: list[Any] = [*QUESTION, earlier, {"role": "tool", "tool_call_id": "call_1", "content": "21"}, *QUESTION]
    reply = client.chat.completions.create(model="gpt-4o", messages=messages, tools=[WEATHER])
    assert reply.choices[0].finish_reason == "tool_calls"


def test_chat_takes_calls_that_a_client_writes_as_text(client: openai.OpenAI, provider: Provider) -> None:
    """A tool that stands in what the assistant has said was called, where the client hands no calls back."""
    said = {"role": "assistant", "content": "Calling tools: weather"}
    messages: list[Any] = [*QUESTION, said, {"role": "user", "content": "Observation: 21"}]
    client.chat.completions.create(model="gpt-4o", messages=QUESTION, tools=[WEATHER])
    client.chat.completions.create(model="gpt-4o", messages=messages, tools=[WEATHER])
    assert [call.tool for call in provider.truth.calls()] == ["weather", None]


def test_chat_calls_a_tool_without_parameters(client: openai.OpenAI) -> None:
    """A tool that takes nothing is called with no arguments."""
    tools: list[Any] = [{"type": "function", "function": {"name": "now"}}]
    reply = client.chat.completions.create(model="gpt-4o", messages=QUESTION, tools=tools).choices[0].message
    assert reply.tool_calls is not None
    assert reply.tool_calls[0].model_dump()["function"] == {"name": "now", "arguments": "{}"}


def test_chat_stream_with_usage_reports_it(client: openai.OpenAI, provider: Provider) -> None:
    """A stream that asks for usage ends with the counts of its row, and its words join to one text."""
    with client.chat.completions.create(
        model="gpt-4o", messages=QUESTION, stream=True, stream_options={"include_usage": True}
    ) as stream:
        chunks = list(stream)
    (call,) = provider.truth.calls()
    usage = chunks[-1].usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens) == (call.input_tokens, call.output_tokens)
    assert (call.stream, call.usage_reported) == (True, True)
    words = [choice.delta.content or "" for chunk in chunks for choice in chunk.choices]
    whole = client.chat.completions.create(model="gpt-4o", messages=QUESTION)
    assert "".join(words) == whole.choices[0].message.content


def test_chat_stream_without_usage_is_marked_so(client: openai.OpenAI, provider: Provider) -> None:
    """A stream that does not ask for usage is told none, and its row says so, with the tokens served all the same."""
    with client.chat.completions.create(model="gpt-4o", messages=QUESTION, stream=True) as stream:
        assert all(chunk.usage is None for chunk in stream)
    (call,) = provider.truth.calls()
    assert not call.usage_reported
    assert call.input_tokens


def test_chat_streams_tool_calls(client: openai.OpenAI) -> None:
    """A streamed tool call carries its name, its id and its arguments."""
    with client.chat.completions.create(model="gpt-4o", messages=QUESTION, tools=[WEATHER], stream=True) as stream:
        deltas = [call for chunk in stream for choice in chunk.choices for call in choice.delta.tool_calls or []]
    assert deltas[0].function is not None
    assert deltas[0].function.name == "weather"
    assert deltas[0].id


class Weather(BaseModel):
    """Hold an answer of fixed form."""

    city: str
    degrees: float
    days: list[int]
    windy: bool | None


def test_chat_answers_in_the_form_asked_for(client: openai.OpenAI) -> None:
    """A response format given as a JSON schema is kept."""
    reply = client.chat.completions.parse(model="gpt-4o", messages=QUESTION, response_format=Weather)
    assert isinstance(reply.choices[0].message.parsed, Weather)


def test_responses_reports_the_tokens_that_the_truth_holds(client: openai.OpenAI, provider: Provider) -> None:
    """A response's id and token counts are those of its row."""
    reply = client.responses.create(model="gpt-5-mini", input="How is the weather?", instructions="Be brief.")
    (call,) = provider.truth.calls()
    assert reply.usage is not None
    assert reply.output_text
    assert (call.api, call.response_id) == ("responses", reply.id)
    assert (call.input_tokens, call.output_tokens) == (reply.usage.input_tokens, reply.usage.output_tokens)
    assert call.reasoning_tokens == reply.usage.output_tokens_details.reasoning_tokens


def test_responses_calls_each_tool_once_and_then_answers(client: openai.OpenAI) -> None:
    """A function call comes first, and after its output comes text."""
    tool: Any = {"type": "function", "name": "weather", "parameters": PARAMETERS, "strict": False}
    items: list[Any] = [{"role": "user", "content": "How is the weather?"}]
    (asked,) = client.responses.create(model="gpt-4o", input=items, tools=[tool]).output
    assert asked.type == "function_call"
    items += [asked.model_dump(), {"type": "function_call_output", "call_id": asked.call_id, "output": "21"}]
    assert client.responses.create(model="gpt-4o", input=items, tools=[tool]).output_text


@pytest.mark.parametrize("tools", [[], [{"type": "function", "name": "weather", "parameters": PARAMETERS}]])
def test_responses_stream_ends_with_the_whole_response(
    client: openai.OpenAI, provider: Provider, tools: list[Any]
) -> None:
    """A streamed response, in text or as a function call, ends with one event that holds it all."""
    with client.responses.stream(model="gpt-4o", input="How is the weather?", tools=tools) as stream:
        final = stream.get_final_response()
    (call,) = provider.truth.calls()
    assert final.id == call.response_id
    assert final.usage is not None
    assert final.usage.output_tokens == call.output_tokens
    assert final.output[0].type == ("function_call" if tools else "message")


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_embeddings_give_one_vector_per_text(client: openai.OpenAI, provider: Provider, encoding: Any) -> None:
    """Each text has its vector, the same in both encodings, and no output tokens."""
    reply = client.embeddings.create(model="text-embedding-3-small", input=["a", "b"], encoding_format=encoding)
    again = client.embeddings.create(model="text-embedding-3-small", input="a")
    assert len(reply.data) == 2
    assert reply.data[0].embedding != reply.data[1].embedding
    if encoding == "float":
        assert reply.data[0].embedding == again.data[0].embedding
    call = provider.truth.calls()[0]
    assert (call.api, call.output_tokens, call.response_id) == ("embeddings", 0, None)
    assert call.input_tokens == reply.usage.prompt_tokens


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("gpt-4o-fail429", openai.RateLimitError),
        ("gpt-4o-fail500", openai.InternalServerError),
        ("gpt-4o-fail400", openai.BadRequestError),
    ],
)
def test_failing_models_fail(
    client: openai.OpenAI, provider: Provider, model: str, error: type[openai.APIStatusError]
) -> None:
    """A model with a failure in its name answers that status, in a stream too, and its row has no tokens."""
    with pytest.raises(error):
        client.chat.completions.create(model=model, messages=QUESTION)
    with pytest.raises(error):
        client.responses.create(model=model, input="hello", stream=True)
    for call in provider.truth.calls():
        assert (call.ok, call.status, call.response_id) == (False, int(model[-3:]), None)
        assert (call.input_tokens, call.output_tokens, call.usage_reported) == (None, None, False)


@pytest.mark.parametrize(
    "body", [{"messages": QUESTION}, {"model": "gpt-4o", "messages": 7}, {"model": "gpt-4o", "tools": [{}, 1]}]
)
def test_a_malformed_request_gets_a_sentence(client: openai.OpenAI, provider: Provider, body: Any) -> None:
    """A request that the API does not know is refused with status 400, and is not in the truth."""
    with pytest.raises(openai.BadRequestError, match="The body is"):
        client.post("/chat/completions", cast_to=object, body=body)
    assert provider.truth.calls() == ()


def test_an_unknown_path_is_not_found(client: openai.OpenAI) -> None:
    """An API that the provider does not serve is named in the answer."""
    with pytest.raises(openai.NotFoundError, match="/v1/images/generations"):
        client.images.generate(prompt="a cat")
