"""What the SDK writes becomes OTLP/JSON, type by type."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from spyglass.truth import otlp

FIXTURES = Path(__file__).parents[1] / "fixtures"
RECORDINGS = sorted((FIXTURES / "spans").glob("*.json"))
# What the SDK's JSON does not hold.
UNKNOWN = "flags"


def _spans(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for resource in document["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                yield {"resource": resource["resource"], "scope": _named(scope["scope"]), **span}


def _named(scope: dict[str, Any]) -> dict[str, Any]:
    return {key: scope[key] for key in ("name", "version") if key in scope}


def _plain(node: Any, moment: Callable[[str], object]) -> Any:
    """Return a span with its times made plain, and without what the SDK's JSON lacks, or leaves empty."""
    if isinstance(node, list):
        return [_plain(each, moment) for each in node]
    if not isinstance(node, dict):
        return node
    return {
        key: moment(value) if key.lower().endswith("timeunixnano") else _plain(value, moment)
        for key, value in node.items()
        if key != UNKNOWN and value != []
    }


def _about(moment: str) -> object:
    """Return what a time of the SDK is equal to: it has microseconds, by way of a fraction."""
    return pytest.approx(int(moment), abs=1_001)


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_a_recording_becomes_what_its_exporter_sent(path: Path) -> None:
    """Every span of a recording has the ids, times, attributes, events and links that the OTLP exporter sent."""
    sent = json.loads((FIXTURES / "otlp" / f"{path.stem}.traces.json").read_text())
    made = otlp.traces(json.loads(path.read_text())["spans"])
    expected, found = ({span["spanId"]: span for span in _spans(document)} for document in (sent, made))
    assert _plain(found, int) == _plain(expected, _about)


@pytest.mark.parametrize(
    ("plain", "form"),
    [
        (True, {"boolValue": True}),
        (7, {"intValue": "7"}),
        (7.0, {"doubleValue": 7.0}),
        (float("nan"), {"doubleValue": "NaN"}),
        (float("-inf"), {"doubleValue": "-Infinity"}),
        ("7", {"stringValue": "7"}),
        (None, {}),
        ([1, 0.5], {"arrayValue": {"values": [{"intValue": "1"}, {"doubleValue": 0.5}]}}),
        (
            {"a": [True]},
            {"kvlistValue": {"values": [{"key": "a", "value": {"arrayValue": {"values": [{"boolValue": True}]}}}]}},
        ),
    ],
)
def test_values_keep_their_type(plain: object, form: dict[str, Any]) -> None:
    """A truth value is no number, a whole number no fraction, and a number in a text no number."""
    assert otlp.value(plain) == form


def test_log_events_keep_their_span() -> None:
    """A log record has its event's name, body, time and the ids of its span, under the scope that wrote it."""
    recording = json.loads((FIXTURES / "spans" / "agent-framework__native.json").read_text())
    sent = json.loads((FIXTURES / "otlp" / "agent-framework__native.logs.json").read_text())
    made = otlp.logs(recording["logs"], recording["spans"][0]["resource"], 1_000)
    kept = ("eventName", "body", "attributes", "traceId", "spanId", "timeUnixNano")
    by_document = [
        [{key: record.get(key) or [] for key in kept} for record in scope["logRecords"]]
        for document in (sent, made)
        for scope in document["resourceLogs"][0]["scopeLogs"]
    ]
    assert len(recording["logs"]) == len(by_document[0])
    assert by_document[0] == by_document[1]
