"""A span has its cost from the moment that it is stored; names seen first get theirs soon after."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from spyglass.warehouse.client import Warehouse
from spyglass.warehouse.dictionaries import reload_prices
from spyglass.warehouse.prices import book as price_book
from spyglass.warehouse.prices import table as price_table
from tests.warehouse.wire import Server, span, usage


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[Warehouse]:
    """Provide the admin."""
    admin = server.client()
    yield admin
    admin.close()


@pytest.mark.parametrize(
    ("attributes", "cost"),
    [
        (usage(input=1_000_000, output=0), 2_500_000_000),
        (usage(input=1, output=1), 12_500),
        (usage(input=1200, output=300, cache_read=200), 1000 * 2500 + 200 * 1250 + 300 * 10_000),
        (usage(input=1200, output=300, cache_write=200), 1200 * 2500 + 300 * 10_000),
        (usage(model="no-such-model", input=1, output=1), None),
        (usage(provider="no-such-provider", input=1, output=1), None),
        (usage(input=5), None),
        (usage(output=5), None),
        (usage(), None),
        (usage(input=10, output=1, cache_read=8, cache_write=8), None),
    ],
)
def test_cost_of_a_stored_span(server: Server, attributes: dict[str, str], cost: int | None) -> None:
    """The cost is there as soon as the span is; without a price or a usage it is NULL and says so, never 0."""
    row = span(20_000 + abs(hash(str(attributes))) % 1_000_000_000, attributes)
    server.insert("otel_traces", [row])
    sql = "SELECT cost_nano_usd, cost_source FROM spans WHERE trace_id = {t:String}"
    found = server.client("reader").rows(sql, t=row["TraceId"])
    assert found == [{"cost_nano_usd": cost, "cost_source": "unpriced" if cost is None else "computed"}]


def test_embedding_needs_no_output(server: Server) -> None:
    """An embedding has no output tokens; its cost is that of its input."""
    attributes = usage(model="text-embedding-3-small", input=1_000_000) | {"spyglass.kind": "embedding"}
    row = span(21_001, attributes)
    server.insert("otel_traces", [row])
    assert server.sql(f"SELECT cost_nano_usd FROM spans WHERE trace_id = '{row['TraceId']}'", "reader") == "20000000"


def test_other_kinds_cost_nothing_of_their_own(server: Server) -> None:
    """An agent's span that repeats its calls' usage has no cost, and no source of one."""
    row = span(21_002, usage(input=5, output=5) | {"spyglass.kind": "agent"})
    server.insert("otel_traces", [row])
    sql = f"SELECT cost_nano_usd, cost_source FROM spans WHERE trace_id = '{row['TraceId']}'"
    assert server.client("reader").rows(sql) == [{"cost_nano_usd": None, "cost_source": ""}]


def _price(model: str, **columns: Any) -> dict[str, Any]:
    step = {
        f"steps.{name}": [0] for name in ("daily_from", "above", "cache_read", "cache_write", "output", "reasoning")
    }
    row = {"provider": "own", "model": model, "valid_from": 0, "valid_to": 4_291_747_200, "request": 0}
    row |= {"source": "test", "source_model": "", "source_version": "1", "steps.input": [0]}
    return row | step | columns


def test_price_changes_at_its_moment(client: Warehouse, server: Server) -> None:
    """A span is priced by its own time: before, at and after a boundary, whenever it arrives."""
    boundary = 1_700_000_000
    old = _price("changing", valid_to=boundary, **{"steps.input": [1_000_000]})
    new = _price("changing", valid_from=boundary, **{"steps.input": [3_000_000]})
    client.insert("spyglass.model_prices", [old, new])
    reload_prices(client)
    costs = {}
    for number, moment in enumerate((boundary + 1, boundary - 1, boundary)):
        row = span(722_000 + number, usage("changing", "own", input=10, output=0), Timestamp=f"{moment}.0")
        server.insert("otel_traces", [row])
        costs[moment - boundary] = int(
            server.sql(f"SELECT cost_nano_usd FROM spans WHERE trace_id = '{row['TraceId']}'", "reader")
        )
    assert costs == {-1: 10, 0: 30, 1: 30}


def test_half_a_nano_dollar_is_rounded_up(client: Warehouse, server: Server) -> None:
    """Costs are rounded half up."""
    client.insert("spyglass.model_prices", [_price("half", **{"steps.input": [500_000]})])
    reload_prices(client)
    for tokens, cost in ((1, 1), (2, 1), (3, 2)):
        row = span(723_000 + tokens, usage("half", "own", input=tokens, output=0))
        server.insert("otel_traces", [row])
        assert server.sql(f"SELECT cost_nano_usd FROM spans WHERE trace_id = '{row['TraceId']}'", "reader") == str(cost)


def test_names_seen_first_are_resolved(server: Server, client: Warehouse) -> None:
    """A dated name is matched as the package does; the waiting spans get their cost, once; again changes nothing."""
    name = "claude-3-5-haiku-20991231"
    rows = [span(24_000 + n, usage(name, "anthropic", input=1000, output=100), ServiceName="dated") for n in range(3)]
    server.insert("otel_traces", rows)
    sql = (
        "SELECT count() AS spans, sum(cost_nano_usd) AS cost, countIf(cost_source = 'unpriced') AS unpriced "
        "FROM spans WHERE service = 'dated'"
    )
    assert server.client("reader").rows(sql) == [{"spans": 3, "cost": None, "unpriced": 3}]
    resolved = {found.model: found for found in price_table.resolve_new_models(client)}
    assert resolved[name].source_model == "anthropic/claude-3-5-haiku-latest"
    assert resolved[name].spans == 3
    expected = [{"spans": 3, "cost": 3 * (1000 * 800 + 100 * 4000), "unpriced": 0}]
    assert server.client("reader").rows(sql) == expected
    assert price_table.resolve_new_models(client) == []
    server.insert("otel_traces", rows)  # the same spans again, now priced at insert
    assert server.client("reader").rows(sql) == expected


def test_unknown_names_are_remembered(server: Server, client: Warehouse) -> None:
    """A name that nobody knows is reported once, stays unpriced by name, and is not looked up again."""
    server.insert("otel_traces", [span(25_001, usage("my-own-llama", "vllm", input=1, output=1))])
    resolved = [found for found in price_table.resolve_new_models(client) if found.model == "my-own-llama"]
    assert [(found.provider, found.source_model) for found in resolved] == [("vllm", "")]
    assert price_table.resolve_new_models(client) == []
    missed = client.rows("SELECT provider FROM spyglass.model_price_misses FINAL WHERE model = 'my-own-llama'")
    assert missed == [{"provider": "vllm"}]


def test_retention_stays_with_a_repriced_span(server: Server, client: Warehouse) -> None:
    """A span that gets its cost later keeps the time of its arrival, from which its retention counts."""
    row = span(25_500, usage("claude-3-5-haiku-20980101", "anthropic", input=1, output=1))
    server.insert("otel_traces", [row])
    sql = (
        f"SELECT toUnixTimestamp64Milli(ingested_at) AS at, cost_source FROM spans WHERE trace_id = '{row['TraceId']}'"
    )
    before = server.client("reader").rows(sql)[0]
    time.sleep(0.01)
    price_table.resolve_new_models(client)
    after = server.client("reader").rows(sql)[0]
    assert (before["cost_source"], after["cost_source"]) == ("unpriced", "computed")
    assert before["at"] == after["at"]


def test_synchronising_twice_writes_nothing(client: Warehouse) -> None:
    """The table already has the package's prices: the start wrote them."""
    assert price_table.synchronise(client) == 0


def test_a_newer_package_replaces_prices(client: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that the package no longer has are marked as deleted, changed ones are replaced."""
    real: Callable[[str, str], list[price_book.Price]] = price_book.prices

    def without_history(provider: str, model: str) -> list[price_book.Price]:
        return real(provider, model)[:1] if model == "deepseek-v4-flash" else real(provider, model)

    sql = (
        "SELECT count() AS rows FROM spyglass.model_prices FINAL "
        "WHERE provider = 'deepseek' AND model = 'deepseek-v4-flash'"
    )
    before = client.rows(sql)[0]["rows"]
    assert before == 3
    monkeypatch.setattr(price_book, "prices", without_history)
    assert price_table.synchronise(client) >= 2
    assert client.rows(sql)[0]["rows"] == 1
    monkeypatch.undo()
    price_table.synchronise(client)
    assert client.rows(sql)[0]["rows"] == before
    reload_prices(client)
