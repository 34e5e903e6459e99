"""What was said in recordings of real frameworks stands in one form in the warehouse, wherever it was sent."""

import csv
import json
import re
import urllib.request
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Running, eventually

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack")]

RECORDINGS = Path(__file__).parents[1] / "fixtures" / "otlp"
# Other tests send the same recordings: these have traces of their own.
TRACE_ID, OWN = re.compile(r'("traceId": ?")[0-9a-f]{8}'), "7e875000"
# Of how many model calls the warehouse has the question and the answer, and how many of these ask for a tool.
EXPECTED = list(csv.DictReader(Path(__file__).with_name("texts.csv").read_text(encoding="utf-8").splitlines()))
QUESTION = """
    SELECT service, s.trace_id AS trace_id, s.span_id AS span_id, c.input AS input, c.output AS output
    FROM spans AS s FINAL
    LEFT JOIN (SELECT trace_id, span_id, input, output FROM span_content FINAL) AS c
        ON c.trace_id = s.trace_id AND c.span_id = s.span_id
    WHERE startsWith(service, 'texts ') AND kind = 'llm'
"""


def _send(running: Running, recording: str, signal: str) -> None:
    path = RECORDINGS / f"{recording}.{signal}.json"
    if path.exists():
        text = path.read_text(encoding="utf-8").replace('"fixture-app"', f'"texts {recording}"')
        body = TRACE_ID.sub(f"\\g<1>{OWN}", text).encode()
        call = urllib.request.Request(f"{running.endpoint}/v1/{signal}", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(call, timeout=30) as answer:
            assert answer.status == 200


def _told(rows: list[dict[str, Any]]) -> dict[str, str]:
    messages = [[_messages(row[side]) for side in ("input", "output")] for row in rows]
    parts = [part for _, back in messages for message in back for part in message["parts"]]
    found = {
        "calls": len(rows),
        "asked": sum(bool(given) for given, _ in messages),
        "answered": sum(bool(back) for _, back in messages),
        "tool_calls": sum(part["type"] == "tool_call" for part in parts),
    }
    return {name: str(number) for name, number in found.items()}


def _messages(text: str) -> list[dict[str, Any]]:
    found = json.loads(text) if text.startswith("[") else []
    return [message for message in found if message.get("role") and message.get("parts")]


def test_texts_of_recordings(running: Running) -> None:
    """Of each recording the messages that were sent are there, as many as its table says, asked and answered."""
    for row in EXPECTED:
        for signal in ("traces", "logs"):
            _send(running, row["recording"], signal)
    expected = {row["recording"]: {name: row[name] for name in row if name != "recording"} for row in EXPECTED}

    def found() -> dict[str, dict[str, str]]:
        groups = defaultdict(list)
        for row in running.warehouse.rows(QUESTION):
            groups[row["service"].removeprefix("texts ")].append(row)
        return {name: _told(groups[name]) for name in expected}

    assert eventually(found, lambda told: told == expected) == expected


def test_every_recording_is_expected() -> None:
    """No recording of spans is left out of the table."""
    found = {path.name.removesuffix(".traces.json") for path in RECORDINGS.glob("*.traces.json")}
    assert {row["recording"] for row in EXPECTED} == found
