"""Recordings of real frameworks through the real collector into the real warehouse: what its typed columns hold."""

import csv
import urllib.request
import uuid
from pathlib import Path

import pytest

from tests.conftest import Running, eventually

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack")]

TESTS = Path(__file__).parents[1]
TABLE = (TESTS / "collector_config" / "recordings.csv").read_text(encoding="utf-8")
EXPECTED = list(csv.DictReader(TABLE.splitlines()))
QUESTION = """
    SELECT
        countIf(model) AS calls,
        countIf(kind = 'agent') AS agents,
        countIf(kind = 'tool') AS tools,
        countIf(kind = 'workflow') AS workflows,
        countIf(model AND usage_source = 'reported') AS reported,
        countIf(model AND usage_source = 'estimated') AS estimated,
        countIf(model AND usage_source = 'missing') AS missing,
        sumIf(ifNull(input_tokens, 0), model AND usage_source = 'reported') AS input,
        sumIf(ifNull(output_tokens, 0), model AND usage_source = 'reported') AS output,
        sumIf(ifNull(cache_read_tokens, 0), model AND usage_source = 'reported') AS cache_read,
        sumIf(ifNull(reasoning_tokens, 0), model AND usage_source = 'reported') AS reasoning,
        count() AS spans,
        countIf(notEmpty(defects)) AS defective,
        countIf(status = 'error' AND error_type = '') AS untyped
    FROM (SELECT *, kind IN ('llm', 'embedding') AS model FROM spans FINAL WHERE service = {service:String})
"""


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda row: row["recording"])
def test_typed_columns(running: Running, expected: dict[str, str]) -> None:
    """The typed columns of a recording's spans hold the calls, tokens and kinds that came out of the collector."""
    service = f"recording-{uuid.uuid4().hex[:8]}"
    path = TESTS / "fixtures" / "otlp" / f"{expected['recording']}.traces.json"
    text = path.read_text(encoding="utf-8")
    count = text.count('"startTimeUnixNano"')
    body = text.replace('"fixture-app"', f'"{service}"').encode()
    call = urllib.request.Request(f"{running.endpoint}/v1/traces", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(call, timeout=30) as answer:
        assert answer.status == 200
    (row,) = eventually(
        lambda: running.warehouse.rows(QUESTION, service=service), lambda rows: int(rows[0]["spans"]) == count
    )
    numbers = {name: value for name, value in expected.items() if name not in {"recording", "dialects"}}
    assert {name: str(row[name]) for name in numbers} == numbers
    assert (int(row["defective"]), int(row["untyped"])) == (0, 0)
