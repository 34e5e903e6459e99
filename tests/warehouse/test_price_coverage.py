"""With a fifth of the prices removed, coverage says so, and the models without a price are named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from spyglass.warehouse.client import Warehouse
from spyglass.warehouse.prices import amounts
from spyglass.warehouse.prices import table as price_table
from tests.warehouse.calls import finalise, noon, run
from tests.warehouse.command import spyglass
from tests.warehouse.wire import Server

pytestmark = pytest.mark.stack

MODELS = [f"own-model-{number}" for number in range(10)]
REMOVED = MODELS[3], MODELS[7]
CALLS_OF_EACH = 20


@pytest.fixture
def admin(own_server: Server) -> Iterator[Warehouse]:
    """Provide the admin."""
    client = own_server.client()
    yield client
    client.close()


def test_coverage_with_a_fifth_of_the_prices_removed(own_server: Server, admin: Warehouse) -> None:
    """Of ten models, equally much called, two lose their price: 80.0 % by calls is priced, and the two are named."""
    for model in MODELS:
        texts = {"input": "1", "output": "2"}
        price_table.put(admin, amounts.price("own", model, amounts.interval("", ""), texts, amounts.OVERRIDE))
    for model in REMOVED:
        done = spyglass(own_server, "prices", "remove", "own", model)
        assert done.returncode == 0, done.stderr
    begin = noon(0) - timedelta(days=1)
    numbered = enumerate(MODELS * CALLS_OF_EACH)
    rows = [
        row
        for number, model in numbered
        for row in run(70_000 + number, begin + timedelta(seconds=number), model, input=1000, output=100)
    ]
    own_server.insert("otel_traces", rows)
    finalise(admin)
    window = ["--since", begin.isoformat(), "--until", (begin + timedelta(hours=1)).isoformat()]

    def asked(question: str) -> list[dict[str, Any]]:
        done = spyglass(own_server, "query", question, *window, "--json")
        return [json.loads(line) for line in done.stdout.splitlines()]

    (covered,) = asked("coverage")
    assert (covered["calls"], covered["priced_calls"], covered["unpriced_calls"]) == (200, 160, 40)
    assert round(covered["priced_call_ratio"], 9) == 0.8
    assert round(covered["priced_token_ratio"], 9) == 0.8
    assert covered["cost_nano_usd"] == 160 * (1000 * 1000 + 100 * 2000)
    assert [(row["model"], row["calls"], row["tokens"]) for row in asked("unpriced_models")] == [
        (model, CALLS_OF_EACH, CALLS_OF_EACH * 1100) for model in REMOVED
    ]
