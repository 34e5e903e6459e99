"""Call the fake provider as Gemini is called on the wire; Google's own client does so in tests/frameworks."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from spyglass.demo.provider import Call, Provider

MODEL = "gemini-2.5-flash"
SCHEMA = {"type": "OBJECT", "properties": {"city": {"type": "STRING"}, "days": {"type": "INTEGER"}}}
QUESTION: dict[str, Any] = {"role": "user", "parts": [{"text": "How is the weather in Lisbon?"}]}


def _body(*contents: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"contents": contents or [QUESTION], **more}


def _declared(**function: Any) -> dict[str, Any]:
    return {"tools": [{"functionDeclarations": [{"name": "weather", **function}]}]}


def _post(provider: Provider, method: str, body: object, model: str = MODEL) -> bytes:
    url = f"{provider.url}/v1beta/models/{model}:{method}"
    with urllib.request.urlopen(urllib.request.Request(url, data=json.dumps(body).encode())) as answer:
        content: bytes = answer.read()
        return content


def _ask(provider: Provider, body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_post(provider, "generateContent", body))
    return found


def _part(answer: dict[str, Any]) -> dict[str, Any]:
    (candidate,) = answer["candidates"]
    (part,) = candidate["content"]["parts"]
    assert isinstance(part, dict)
    return part


def _counts(usage: dict[str, int]) -> tuple[int, int, int, int]:
    """Return what a client makes of a usage: input, output with thoughts, from the cache, thoughts."""
    thoughts = usage.get("thoughtsTokenCount", 0)
    output = usage.get("candidatesTokenCount", 0) + thoughts
    return usage["promptTokenCount"], output, usage.get("cachedContentTokenCount", 0), thoughts


def _true(call: Call) -> tuple[int | None, ...]:
    return call.input_tokens, call.output_tokens, call.cache_read_tokens, call.reasoning_tokens


def test_thoughts_stand_beside_the_candidates_and_the_cache_inside_the_prompt(provider: Provider) -> None:
    """What an answer reports adds up to the inclusive output of its row, and its total to both."""
    for town in range(8):
        answer = _ask(provider, _body({"role": "user", "parts": [{"text": f"And in town {town}?"}]}))
        usage, call = answer["usageMetadata"], provider.truth.calls()[-1]
        assert _counts(usage) == _true(call)
        assert usage["totalTokenCount"] == (call.input_tokens or 0) + (call.output_tokens or 0)
        assert (call.api, call.model, call.response_id) == ("generate_content", MODEL, answer["responseId"])
    assert any(call.cache_read_tokens for call in provider.truth.calls())
    assert all(call.reasoning_tokens for call in provider.truth.calls())


def test_a_stream_ends_with_the_true_counts_and_says_the_same(provider: Provider) -> None:
    """Counts of a stream grow, the last ones are those of its row, and its words join to the text of the answer."""
    text = _post(provider, "streamGenerateContent?alt=sse", _body()).decode()
    chunks = [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line]
    outputs = [_counts(chunk["usageMetadata"])[1] for chunk in chunks]
    (call,) = provider.truth.calls()
    assert outputs == sorted(outputs)
    assert outputs[0] < outputs[-1]
    assert (_counts(chunks[-1]["usageMetadata"]), call.stream) == (_true(call), True)
    assert "".join(_part(chunk)["text"] for chunk in chunks) == _part(_ask(provider, _body()))["text"]


@pytest.mark.parametrize("key", ["parameters", "parametersJsonSchema", "parameters_json_schema"])
def test_a_function_is_called_once_and_then_there_is_text(provider: Provider, key: str) -> None:
    """A declared function is called with arguments that fit its schema, however that is spelled; then comes text."""
    declared = _declared(**{key: SCHEMA})
    asked = _part(_ask(provider, _body(**declared)))["functionCall"]
    assert asked["name"] == "weather"
    assert isinstance(asked["args"]["city"], str)
    assert isinstance(asked["args"]["days"], int)
    said = {"role": "model", "parts": [{"functionCall": asked}]}
    result = {"role": "user", "parts": [{"functionResponse": {"name": "weather", "response": {"result": "sunny"}}}]}
    assert _part(_ask(provider, _body(QUESTION, said, result, **declared)))["text"]
    assert [call.tool for call in provider.truth.calls()] == ["weather", None]
    assert _part(_ask(provider, _body(QUESTION, said, result, QUESTION, **declared)))["functionCall"]


def test_a_streamed_call_and_one_without_parameters(provider: Provider) -> None:
    """A function call comes whole in one chunk; a function without parameters is called without arguments."""
    text = _post(provider, "streamGenerateContent?alt=sse", _body(**_declared())).decode()
    (chunk,) = [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line]
    assert _part(chunk)["functionCall"]["args"] == {}
    assert chunk["candidates"][0]["finishReason"] == "STOP"


def test_an_answer_has_the_form_asked_for(provider: Provider) -> None:
    """A response schema is kept."""
    answer = _ask(provider, _body(generationConfig={"responseSchema": SCHEMA}))
    assert set(json.loads(_part(answer)["text"])) == {"city", "days"}


@pytest.mark.parametrize(
    ("failure", "status"),
    [("fail429", "RESOURCE_EXHAUSTED"), ("fail500", "INTERNAL"), ("fail400", "INVALID_ARGUMENT")],
)
def test_failing_models_fail(provider: Provider, failure: str, status: str) -> None:
    """A model with a failure in its name answers that error in Google's form."""
    with pytest.raises(urllib.error.HTTPError) as raised:
        _post(provider, "generateContent", _body(), model=f"{MODEL}-{failure}")
    with raised.value as answer:
        error = json.load(answer)["error"]
    assert (error["code"], error["status"]) == (int(failure[-3:]), status)
    assert [(call.ok, call.usage_reported) for call in provider.truth.calls()] == [(False, False)]


@pytest.mark.parametrize("body", [[], {"contents": 7}, {"contents": ["text"]}, {"tools": [7]}])
def test_a_malformed_request_gets_a_sentence(provider: Provider, body: object) -> None:
    """A request that Gemini does not know is refused with status 400, and is not in the truth."""
    with pytest.raises(urllib.error.HTTPError) as raised:
        _post(provider, "generateContent", body)
    with raised.value as answer:
        assert (answer.code, "The body is" in json.load(answer)["error"]["message"]) == (400, True)
    assert provider.truth.calls() == ()


def test_another_method_is_not_found(provider: Provider) -> None:
    """A method of a model that the provider does not serve is named."""
    with pytest.raises(urllib.error.HTTPError) as raised:
        _post(provider, "countTokens", _body())
    with raised.value as answer:
        assert (answer.code, "countTokens" in answer.read().decode()) == (404, True)
