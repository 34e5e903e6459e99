"""Check what holds for every API of the fake provider."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.demo.provider import Provider, Timing
from spyglass.demo.provider.model import Prompt, Tool, answer, example

texts = st.text(max_size=200)


def _ask(provider: Provider, model: str, *questions: str, stream: bool = False) -> None:
    with openai.OpenAI(base_url=f"{provider.url}/v1", api_key="test", max_retries=0) as client:
        for question in questions:
            reply: Any = client.chat.completions.create(
                model=model, messages=[{"role": "user", "content": question}], stream=stream
            )
            if stream:
                with reply:
                    list(reply)


def test_the_same_requests_give_the_same_truth() -> None:
    """Two providers with one seed, asked the same, have the same rows but for the seconds."""
    seen = []
    for _ in range(2):
        with Provider(seed="same") as provider:
            _ask(provider, "gpt-5-mini", "one", "two")
            seen.append([(call.response_id, call.input_tokens, call.output_tokens) for call in provider.truth.calls()])
    assert seen[0] == seen[1]


def test_two_seeds_never_share_response_ids() -> None:
    """Providers with different seeds answer with different ids."""
    ids = []
    for seed in ("a", "b"):
        with Provider(seed=seed) as provider:
            _ask(provider, "gpt-4o", "one")
            ids.append(provider.truth.calls()[0].response_id)
    assert ids[0] != ids[1]


def test_the_truth_is_served(provider: Provider) -> None:
    """GET /_truth lists every request, the failed ones too, with absent counts as null."""
    _ask(provider, "gpt-4o", "one")
    with pytest.raises(openai.RateLimitError):
        _ask(provider, "gpt-4o-fail429", "two")
    with urllib.request.urlopen(f"{provider.url}/_truth") as response:
        rows = json.load(response)["calls"]
    assert [row["n"] for row in rows] == [1, 2]
    assert rows[0]["input_tokens"] > 0
    assert rows[1]["input_tokens"] is None


def test_a_body_that_is_not_json_is_refused(provider: Provider) -> None:
    """A body that is not JSON gets status 400 and a sentence."""
    request = urllib.request.Request(f"{provider.url}/v1/messages", data=b"{")
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(request)
    with raised.value as error:
        assert error.code == 400
        assert "not JSON" in error.read().decode()


def test_slow_models_take_longer() -> None:
    """A model with slow in its name waits the factor times as long as others, before and between tokens."""
    waits: list[float] = []
    timing = Timing(first_token_seconds=1.0, token_seconds=0.01, slow_factor=5.0, sleep=waits.append)
    with Provider(timing=timing) as provider:
        _ask(provider, "house", "one", stream=True)
        usual = list(waits)
        waits.clear()
        _ask(provider, "house-slow", "one", stream=True)
    assert (usual[0], waits[0]) == (1.0, 5.0)
    assert min(usual[1:]) == 0.01
    assert min(waits[1:]) == 0.05


@given(texts, texts)
def test_counts_keep_the_rules_of_tokens(model: str, text: str) -> None:
    """Input is at least what came from and went to the cache, output at least the reasoning."""
    usage = answer(Prompt(model, text, caches_writes=True)).usage
    assert usage.input_tokens >= usage.cache_read_tokens + usage.cache_write_tokens
    assert usage.output_tokens > usage.reasoning_tokens >= 0


def test_counts_vary_with_the_prompt() -> None:
    """Different prompts have different counts, so that no total can be a constant."""
    answers = [answer(Prompt("gpt-5-mini", "word " * length)).usage for length in range(20)]
    assert len({usage.input_tokens for usage in answers}) > 10
    assert len({usage.output_tokens for usage in answers}) > 10


@given(st.lists(st.sampled_from("abcdef"), unique=True), texts)
def test_every_tool_is_called_once_in_the_order_of_offer(names: list[str], text: str) -> None:
    """Asked again after each call, the model calls all tools and then speaks."""
    tools = tuple(Tool(name, {"type": "object"}) for name in names)
    called: list[str] = []
    while (said := answer(Prompt("gpt-4o", text, tools, tuple(called)))).tool_call:
        called.append(said.tool_call.name)
    assert called == names
    assert said.text


def test_one_handoff_is_made_to_the_one_asked_for() -> None:
    """Of several hand-off tools the one named in the question is called, once, after the other tools."""
    tools = tuple(Tool(name, {}) for name in ("transfer_to_billing", "transfer_to_shipping", "look_up"))
    first = answer(Prompt("gpt-4o", "Ask shipping about it.", tools, ("look_up",)))
    assert first.tool_call is not None
    assert first.tool_call.name == "transfer_to_shipping"
    assert answer(Prompt("gpt-4o", "Ask shipping.", tools, ("look_up", "transfer_to_shipping"))).tool_call is None


@given(st.integers(min_value=0))
def test_examples_fit_their_schema(digest: int) -> None:
    """Made-up arguments have the required keys and the right types, through references and unions."""
    schema = {
        "type": "object",
        "required": ["place", "kind", "when"],
        "properties": {
            "place": {"$ref": "#/$defs/Place"},
            "kind": {"enum": ["a", "b"]},
            "when": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "other": {"type": "string"},
        },
        "$defs": {"Place": {"type": "object", "properties": {"names": {"type": "array"}, "big": {"type": "boolean"}}}},
    }
    made = example(schema, digest)
    assert set(made) == {"place", "kind", "when"}
    assert made["kind"] in ("a", "b")
    assert isinstance(made["when"], int)
    assert isinstance(made["place"]["names"][0], str)
    assert isinstance(made["place"]["big"], bool)
