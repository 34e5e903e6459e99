"""Numbers that are none, JSON that is none, and usage of a shape that nobody knows."""

from collections.abc import Callable

import pytest

from tests.collector_config.conftest import Collector
from tests.collector_config.dialect_spans import USAGE, usage
from tests.collector_config.otlp import request


@pytest.fixture(scope="module")
def collector(start_collector: Callable[..., Collector]) -> Collector:
    """Run a collector with full content and without redaction, so that only names change."""
    return start_collector(SPYGLASS_CONTENT="full", SPYGLASS_REDACT="false")


WRONG: list[tuple[dict[str, object], str, object]] = [
    (usage(input_tokens=-5, output_tokens=1), f"{USAGE}input_tokens: negative", -5),
    (usage(input_tokens=10**12, output_tokens=1), f"{USAGE}input_tokens: absurd", 10**12),
    ({f"{USAGE}input_tokens": 3.5}, f"{USAGE}input_tokens: fraction", 3.5),
    ({f"{USAGE}input_tokens": "many"}, f"{USAGE}input_tokens: text", "many"),
    ({f"{USAGE}input_tokens": "12"}, f"{USAGE}input_tokens: text", 12),
    ({f"{USAGE}input_tokens": [1]}, f"{USAGE}input_tokens: no number", [1]),
    (usage(input_tokens=9, cache_read__input_tokens=-1), f"{USAGE}cache_read.input_tokens: negative", 9),
    (usage(input_tokens=9, reasoning__output_tokens=10**15), f"{USAGE}reasoning.output_tokens: absurd", 9),
]


@pytest.mark.parametrize(("sent", "named", "left"), WRONG, ids=lambda value: value if isinstance(value, str) else "")
def test_wrong_types_are_named(collector: Collector, sent: dict[str, object], named: str, left: object) -> None:
    """A number of a wrong type or unit is named and stays as it was sent; a whole number in a text is read."""
    (span,) = collector.spans(request({"gen_ai.operation.name": "chat"} | sent))
    assert span["attributes"]["spyglass.normalise.invalid"] == [named]
    assert span["attributes"][f"{USAGE}input_tokens"] == left


@pytest.mark.parametrize("number", [3, 3.0])
def test_whole_numbers_are_not_named(collector: Collector, number: float) -> None:
    """A whole number is right as an integer and as a double."""
    (span,) = collector.spans(request({"gen_ai.operation.name": "chat", f"{USAGE}input_tokens": number}))
    assert "spyglass.normalise.invalid" not in span["attributes"]
    assert span["attributes"][f"{USAGE}input_tokens"] == 3


@pytest.mark.parametrize(
    ("blob", "named"),
    [
        ("{not json", ["langfuse.observation.usage_details: no JSON"]),
        ('{"input": "five"}', ["langfuse.observation.usage_details>input: text"]),
        ('{"tokens": {"in": 5}}', None),
        ("[1, 2]", None),
    ],
)
def test_json_of_another_shape(collector: Collector, blob: str, named: list[str] | None) -> None:
    """What is no JSON is named; usage of an unknown shape is no usage, and neither is ever read as 0."""
    sent = {"langfuse.observation.type": "generation", "langfuse.observation.usage_details": blob}
    (span,) = collector.spans(request(sent))
    assert span["attributes"].get("spyglass.normalise.invalid") == named
    assert span["attributes"]["spyglass.usage.source"] == "missing"
    assert span["attributes"].get(f"{USAGE}output_tokens") is None


def test_a_model_that_is_no_text_is_named(collector: Collector) -> None:
    """A model whose name is no text is named, and stays as it was sent."""
    (span,) = collector.spans(request({"gen_ai.operation.name": "chat", "gen_ai.request.model": 5}))
    assert span["attributes"]["spyglass.normalise.invalid"] == ["gen_ai.request.model: no text"]
    assert span["attributes"]["gen_ai.request.model"] == 5
