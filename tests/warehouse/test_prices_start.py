"""A warehouse reads the file of prices when it starts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from spyglass.warehouse.prices import amounts
from spyglass.warehouse.prices import table as price_table
from tests.warehouse.wire import Server, one, span, usage

pytestmark = pytest.mark.stack

EVER = amounts.interval("", "")
OVERRIDE = amounts.price("vllm", "by-hand", EVER, {"input": "1"}, amounts.OVERRIDE)


def _cost(server: Server, number: int) -> int | None:
    row = span(number, usage("filed", "vllm", input=1_000_000, output=0))
    server.insert("otel_traces", [row])
    found = one(server, "SELECT cost_nano_usd FROM spans WHERE trace_id = {t:String}", t=row["TraceId"])
    cost: int | None = found["cost_nano_usd"]
    return cost


def _text(usd: str, model: str = "filed") -> str:
    entry = f"provider: vllm, model: {model}, valid_from: 2026-01-01, usd_per_million_tokens: {{input: {usd}}}"
    return f"models:\n- {{{entry}}}\n"


def test_the_start_reads_the_file(new_server: Callable[..., Server], tmp_path: Path) -> None:
    """A warehouse has the file's prices as soon as it is ready, new ones after a start with a changed file."""
    path = tmp_path / "prices.yaml"
    path.write_text(_text("0.5"), "utf-8")
    server = new_server(prices_file=str(path)).start()
    assert _cost(server, 1) == 500_000_000
    server.stop()
    path.write_text(_text("0.75"), "utf-8")
    server.start()
    assert _cost(server, 2) == 750_000_000
    price_table.put(server.client(), OVERRIDE)
    server.stop()
    path.write_text(_text("1", "by-hand"), "utf-8")
    server.start()  # a file that contradicts what was set changes nothing, and the warehouse runs
    assert "the prices stay as they are: vllm by-hand has a price of source 'override' already" in server.log
    assert _cost(server, 3) == 750_000_000


def test_a_bad_file_stops_the_start(new_server: Callable[..., Server], tmp_path: Path) -> None:
    """The process says what is wrong with the file and does not start."""
    path = tmp_path / "prices.yaml"
    path.write_text(_text("-1"), "utf-8")
    server = new_server(prices_file=str(path)).start(wait=False)
    assert server.process is not None
    assert server.process.wait(60) == 2
    server.process = None
    assert f"spyglass: {path}: models, entry 1: input: -1 is no price." in server.log
    assert "Traceback" not in server.log
