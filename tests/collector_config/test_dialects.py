"""Each dialect's table, by recordings and by spans as its emitters write them, through the real collector."""

import csv
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spyglass.dialects import tables
from spyglass.dialects.rows import INPUT_WITH_CACHE, JSON
from spyglass.names import Kind
from tests.collector_config.conftest import Collector
from tests.collector_config.dialect_spans import CASES, USAGE, Fields
from tests.collector_config.otlp import request

HERE = Path(__file__).parent
RECORDINGS = HERE.parent / "fixtures" / "otlp"
MODEL_KINDS = ("llm", "embedding")
SUMS = {
    "input": f"{USAGE}input_tokens",
    "output": f"{USAGE}output_tokens",
    "cache_read": f"{USAGE}cache_read.input_tokens",
    "reasoning": f"{USAGE}reasoning.output_tokens",
}
EXPECTED = list(csv.DictReader((HERE / "recordings.csv").read_text(encoding="utf-8").splitlines()))
# Each attribute and value that normalising adds to a recording or changes in it, and to how many spans.
NORMALISED = list(csv.DictReader((HERE / "normalised.csv").read_text(encoding="utf-8").splitlines()))
TENANT = {"spyglass.organization", "spyglass.project"}
MOST_LINES = 150


@pytest.fixture(scope="module")
def collector(start_collector: Callable[..., Collector]) -> Collector:
    """Run a collector with full content and without redaction, so that only names change."""
    return start_collector(SPYGLASS_CONTENT="full", SPYGLASS_REDACT="false")


def _summary(spans: list[dict[str, Any]]) -> dict[str, str]:
    found = [span["attributes"] for span in spans]
    kinds = Counter(attributes["spyglass.kind"] for attributes in found)
    calls = [attributes for attributes in found if attributes["spyglass.kind"] in MODEL_KINDS]
    sources = Counter(attributes["spyglass.usage.source"] for attributes in calls)
    reported = [attributes for attributes in calls if attributes["spyglass.usage.source"] == "reported"]
    made = {
        "dialects": "+".join(sorted({attributes.get("spyglass.dialect", "") for attributes in found} - {""})),
        "calls": len(calls),
        "agents": kinds["agent"],
        "tools": kinds["tool"],
        "workflows": kinds["workflow"],
        **{source: sources[source] for source in ("reported", "estimated", "missing")},
        **{name: sum(attributes.get(key, 0) for attributes in reported) for name, key in SUMS.items()},
    }
    return {name: str(value) for name, value in made.items()}


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda row: row["recording"])
def test_recording(collector: Collector, expected: dict[str, str]) -> None:
    """A recording's calls, agents, tools and tokens are what its program did, in one vocabulary; nothing is invalid."""
    document = json.loads((RECORDINGS / f"{expected['recording']}.traces.json").read_text(encoding="utf-8"))
    spans = collector.spans(document)
    assert _summary(spans) == {name: value for name, value in expected.items() if name != "recording"}
    assert {span["attributes"]["spyglass.kind"] for span in spans} <= set(Kind)
    assert [span for span in spans if "spyglass.normalise.invalid" in span["attributes"]] == []
    failed = [span["attributes"] for span in spans if span.get("status", {}).get("code") == 2]
    assert [attributes for attributes in failed if not attributes.get("error.type")] == []
    reasons = [span["attributes"].get("gen_ai.response.finish_reasons", []) for span in spans]
    assert [found for found in reasons if not isinstance(found, list)] == []


@pytest.mark.parametrize("recording", [row["recording"] for row in EXPECTED])
def test_recording_in_full(collector: Collector, recording: str) -> None:
    """To a recording's spans exactly these attributes are added, of these types, and no other is changed or lost."""
    sent = json.loads((RECORDINGS / f"{recording}.traces.json").read_text(encoding="utf-8"))
    came = {"resourceSpans": json.loads(collector.text("traces", sent))}
    found: Counter[tuple[str, str]] = Counter()
    for before, after in zip(_attributes(sent), _attributes(came), strict=True):
        assert before.keys() <= after.keys()
        changed = [key for key in after if before.get(key) != after[key] and key not in TENANT]
        found.update((key, json.dumps(after[key], separators=(",", ":"))) for key in changed)
    expected = [row for row in NORMALISED if row["recording"] == recording]
    assert found == {(row["attribute"], row["value"]): int(row["spans"]) for row in expected}


def _attributes(request_: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the attributes of each span, their values as OTLP/JSON."""
    scopes = [scope for resource in request_["resourceSpans"] for scope in resource["scopeSpans"]]
    spans = [span for scope in scopes for span in scope["spans"]]
    return [{one["key"]: one["value"] for one in span.get("attributes", [])} for span in spans]


def test_every_recording_is_expected() -> None:
    """No recording of spans is left out of the table."""
    found = {path.name.removesuffix(".traces.json") for path in RECORDINGS.glob("*.traces.json")}
    assert {row["recording"] for row in EXPECTED} == found


@pytest.mark.parametrize(("sent", "span", "expected"), CASES.values(), ids=CASES)
def test_span(collector: Collector, sent: Fields, span: Fields, expected: Fields) -> None:
    """A span of the dialect gets the names, units and sources of ours, and keeps what it had."""
    (found,) = collector.spans(request(sent, None, **span))
    got = found["attributes"]
    assert {key: got.get(key) for key in expected} == expected
    changed = {key for key in sent if got.get(key) != sent[key]}
    assert changed <= {*SUMS.values(), "gen_ai.response.finish_reasons"}


def test_first_token_of_an_event(collector: Collector) -> None:
    """The time from the start to the event of the first token is the time to the first token, in seconds."""
    event = {"name": "First Token Stream Event", "timeUnixNano": "1763715600250000000"}
    (span,) = collector.spans(request({"openinference.span.kind": "LLM"}, events=[event, event]))
    assert span["attributes"]["gen_ai.response.time_to_first_chunk"] == 0.25


def test_the_scope_stays_as_it_was(collector: Collector) -> None:
    """Nothing is noted in the scope, and an attribute that its sender put there stays."""
    sent = request({"gen_ai.operation.name": "chat"}, scope="pydantic-ai")
    scope = sent["resourceSpans"][0]["scopeSpans"][0]["scope"]
    scope["attributes"] = [{"key": "spyglass.kind", "value": {"stringValue": "theirs"}}]
    (found,) = json.loads(collector.text("traces", sent))[0]["scopeSpans"]
    assert found["scope"] == {"name": "pydantic-ai", "attributes": scope["attributes"]}


@pytest.mark.parametrize(
    ("name", "operation", "expected"),
    [
        ("gen_ai.client.operation.duration", "chat", "gen_ai.client.inference.duration"),
        ("gen_ai.client.operation.duration", "embeddings", "gen_ai.client.embeddings.duration"),
        ("gen_ai.client.operation.duration", "retrieval", "gen_ai.client.operation.duration"),
        ("gen_ai.workflow.duration", "", "gen_ai.invoke_workflow.duration"),
        ("gen_ai.client.token.usage", "chat", "gen_ai.client.token.usage"),
    ],
)
def test_renamed_metrics(collector: Collector, name: str, operation: str, expected: str) -> None:
    """A metric that was renamed reaches its newest name, where the old one does not stand for something else."""
    attributes = [{"key": "gen_ai.operation.name", "value": {"stringValue": operation}}]
    point = {"asInt": "1", "timeUnixNano": "1763715600000000000", "attributes": attributes}
    metric = {"name": name, "unit": "s", "gauge": {"dataPoints": [point, point]}}
    text = collector.text("metrics", {"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]})
    (found,) = json.loads(text)[0]["scopeMetrics"][0]["metrics"]
    assert found["name"] == expected


def test_logs_keep_their_span(collector: Collector) -> None:
    """An event that says what a model was asked keeps the ids of the span that it belongs to."""
    ids = {"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331"}
    record = ids | {"eventName": "gen_ai.client.inference.operation.details", "timeUnixNano": "1763715600000000000"}
    text = collector.text("logs", {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]})
    (found,) = json.loads(text)[0]["scopeLogs"][0]["logRecords"]
    assert ids.items() <= found.items()


def test_tables_are_small_and_known() -> None:
    """Each dialect has one table of at most 150 lines, each row a concept that is defined, and none is left over."""
    names = [dialect.name for dialect in tables.dialects() if dialect.name]
    files = sorted((tables.HERE / "tables").glob("*.csv"))
    assert [path.stem for path in files] == sorted(names)
    assert [path.name for path in files if len(path.read_text(encoding="utf-8").splitlines()) > MOST_LINES] == []
    known = {*tables.concepts(), JSON, INPUT_WITH_CACHE}
    assert [row for dialect in tables.dialects() for row in dialect.rows if row.concept not in known] == []
    kinds = {row.source[1:] for dialect in tables.dialects() for row in dialect.rows if row.concept == "kind"}
    assert kinds <= set(Kind)
