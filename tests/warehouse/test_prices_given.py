"""Prices that somebody gave go before the package's, for as long as they hold, and leave no trace when they go."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from spyglass.errors import PriceError
from spyglass.warehouse.client import Warehouse
from spyglass.warehouse.prices import amounts, export, lists
from spyglass.warehouse.prices import file as price_file
from spyglass.warehouse.prices import rows as price_rows
from spyglass.warehouse.prices import table as price_table
from spyglass.warehouse.prices.book import Price
from spyglass.warehouse.prices.rows import PriceFile
from tests.warehouse.wire import Server, one, span, usage

pytestmark = pytest.mark.stack

LAST = 4_291_747_200
NOON = int(datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp())
LATER = int(datetime(2026, 4, 1, tzinfo=UTC).timestamp())
MOMENTS = st.integers(0, 30)


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[Warehouse]:
    """Provide the admin."""
    admin = server.client()
    yield admin
    admin.close()


def _given(provider: str, model: str, start: str = "", end: str = "", **texts: str) -> Price:
    texts = {"input": "1", "output": "2"} | texts
    return amounts.price(provider, model, amounts.interval(start, end), texts, amounts.OVERRIDE)


def _intervals(client: Warehouse, provider: str, model: str) -> list[tuple[int, int, str, int]]:
    rows = price_rows.of_model(client, provider, model)
    return sorted((r["valid_from"], r["valid_to"], r["source"], r["steps.input"][0]) for r in rows)


def _cost(server: Server, number: int, moment: str, attributes: dict[str, str]) -> int | None:
    row = span(number, attributes, Timestamp=moment)
    server.insert("otel_traces", [row])
    found = one(server, "SELECT cost_nano_usd FROM spans WHERE trace_id = {t:String}", t=row["TraceId"])
    cost: int | None = found["cost_nano_usd"]
    return cost


def test_cost_around_both_boundaries(client: Warehouse, server: Server) -> None:
    """The package's price holds until the second before the start, the given one from it on, until before its end.

    gpt-4o costs 2.5 and 10 USD per million tokens: 1,000 and 100 of them are 3,500,000 nano-USD. Given are 1 and 2 USD,
    half a dollar for what was read from the cache and 0.001 USD per call: 800 + 100 + 200 and 1,000 µUSD.
    """
    texts = {"cache_read": "0.5", "request": "0.001"}
    start, end = "2026-03-01T12:00:00Z", "2026-04-01"
    price_table.put(client, _given("openai", "gpt-4o-2024-08-06", start, end, **texts))
    call = usage("gpt-4o-2024-08-06", input=1000, output=100, cache_read=200)
    package = 800 * 2500 + 200 * 1250 + 100 * 10_000
    own = 800 * 1000 + 200 * 500 + 100 * 2000 + 1_000_000
    expected = {
        f"{NOON - 1}.999999999": package,
        f"{NOON}.000000000": own,
        f"{NOON}.000000001": own,
        f"{LATER - 1}.999999999": own,
        f"{LATER}.000000000": package,
    }
    costs = {moment: _cost(server, 31_000 + n, moment, call) for n, moment in enumerate(expected)}
    assert costs == expected


def test_removal_restores_the_packages_prices(client: Warehouse) -> None:
    """The package's one interval is cut into two around the given one, and whole again, bit by bit, without it."""
    name = ("anthropic", "claude-3-5-haiku-20990101")
    price_table.put(client, _given(*name, "2026-03-01T12:00:00Z", "2026-04-01"))
    assert _intervals(client, *name) == [
        (0, NOON, "genai-prices", 800_000_000),
        (NOON, LATER, "override", 1_000_000_000),
        (LATER, LAST, "genai-prices", 800_000_000),
    ]
    price_table.remove(client, name, None)
    assert _intervals(client, *name) == [(0, LAST, "genai-prices", 800_000_000)]
    assert not [c for c in price_table.pending(client) if c.row["model"] == name[1]]


def test_a_price_for_ever_replaces_the_packages_row(client: Warehouse) -> None:
    """A given price with the package's own start takes its row's place and gives it back."""
    name = ("anthropic", "claude-3-5-haiku-20990102")
    price_table.put(client, _given(*name))
    assert _intervals(client, *name) == [(0, LAST, "override", 1_000_000_000)]
    price_table.remove(client, name, datetime(1970, 1, 1, tzinfo=UTC))
    assert _intervals(client, *name) == [(0, LAST, "genai-prices", 800_000_000)]


def test_synchronising_keeps_given_prices(client: Warehouse) -> None:
    """A newer package, or none, changes nothing about what was given."""
    name = ("openai", "gpt-4o-mini-2024-07-18")
    price_table.put(client, _given(*name, "2026-03-01T12:00:00Z"))
    before = _intervals(client, *name)
    price_table.synchronise(client)
    assert _intervals(client, *name) == before
    price_table.remove(client, name, None)


def test_setting_the_same_start_again_changes_it(client: Warehouse) -> None:
    """The same start is the same price: it may get another end or amount; the package's comes after the new end."""
    name = ("anthropic", "claude-3-5-haiku-20990103")
    price_table.put(client, _given(*name, "2026-03-01T12:00:00Z"))
    price_table.put(client, _given(*name, "2026-03-01T12:00:00Z", "2026-04-01", input="3"))
    assert _intervals(client, *name) == [
        (0, NOON, "genai-prices", 800_000_000),
        (NOON, LATER, "override", 3_000_000_000),
        (LATER, LAST, "genai-prices", 800_000_000),
    ]


@pytest.mark.parametrize(
    ("start", "end"), [("2026-03-31", ""), ("", "2026-03-02"), ("", ""), ("2026-03-10", "2026-03-11")]
)
def test_overlaps_are_refused(client: Warehouse, start: str, end: str) -> None:
    """Two given prices of one name never hold at once: the second is refused, and nothing is written."""
    name = ("vllm", "overlapping")
    price_table.put(client, _given(*name, "2026-03-01", "2026-04-01"))
    before = _intervals(client, *name)
    with pytest.raises(PriceError, match=r"has a price of source 'override' already, from 2026-03-01 until 2026-04-01"):
        price_table.put(client, _given(*name, start, end, input="9"))
    assert _intervals(client, *name) == before


def test_what_to_remove_has_to_be_clear(client: Warehouse) -> None:
    """Without a price, with two of them, or with a wrong start, nothing is removed and the starts are named."""
    name = ("vllm", "twice")
    with pytest.raises(PriceError, match=r"has 0 given prices to remove\. .* there are: none"):
        price_table.remove(client, name, None)
    price_table.put(client, _given(*name, "2026-03-01", "2026-04-01"))
    price_table.put(client, _given(*name, "2026-04-01"))
    with pytest.raises(PriceError, match=r"has 2 given prices to remove\. .* there are: 2026-03-01, 2026-04-01"):
        price_table.remove(client, name, None)
    with pytest.raises(PriceError, match=r"has 0 given prices to remove from 2026-03-02"):
        price_table.remove(client, name, datetime(2026, 3, 2, tzinfo=UTC))
    price_table.remove(client, name, datetime(2026, 4, 1, tzinfo=UTC))
    assert [row[0] for row in _intervals(client, *name)] == [1_772_323_200]


def test_the_packages_prices_cannot_be_removed(client: Warehouse) -> None:
    """Only what was given can be taken back."""
    with pytest.raises(PriceError, match="openai gpt-4o has 0 given prices"):
        price_table.remove(client, ("openai", "gpt-4o"), None)


def test_an_unknown_model_gets_its_price(client: Warehouse, server: Server) -> None:
    """A self-hosted model is listed as unpriced; once its price is set, the next look gives its spans their cost."""
    server.insert("otel_traces", [span(32_001, usage("our-llama", "vllm", input=1_000, output=10))])
    server.insert("otel_traces", [span(32_002, usage("our-llama", "vllm", input=1_000, output=10))])
    price_table.resolve_new_models(client)
    listed = {"provider": "vllm", "model": "our-llama", "calls": 2, "input_tokens": 2000, "output_tokens": 20}
    assert lists.unpriced(client, "", "OUR-LLAMA") == [listed]
    price_table.put(client, _given("vllm", "our-llama", input="0.2", output="0.6"))
    price_table.resolve_new_models(client)
    sql = "SELECT sum(cost_nano_usd) AS cost, any(cost_source) AS source FROM spans WHERE model = 'our-llama'"
    assert one(server, sql) == {"cost": 2 * (1000 * 200 + 10 * 600), "source": "computed"}
    assert lists.unpriced(client, "", "our-llama") == []


def test_unknown_tokens_are_not_zero(client: Warehouse, server: Server) -> None:
    """The tokens of calls that reported none are unknown."""
    server.insert("otel_traces", [span(32_003, usage("silent-llama", "vllm"))])
    (row,) = lists.unpriced(client, "vllm", "silent")
    assert (row["calls"], row["input_tokens"], row["output_tokens"]) == (1, None, None)


def test_every_change_is_kept(client: Warehouse) -> None:
    """The history of a model has each change with its price, newest first, though the table of prices forgot them."""
    name = ("vllm", "remembered")
    price_table.put(client, _given(*name, "2026-03-01", input="1"))
    price_table.put(client, _given(*name, "2026-03-01", input="3"))
    price_table.remove(client, name, None)
    found = lists.history(client, *name)
    amounts = [(row["action"], row["usd_per_million_tokens"][0]["input"]) for row in found]
    assert amounts == [("removed", "3"), ("changed", "3"), ("added", "1")]
    assert all(row["who"] for row in found)
    assert [row["at"] for row in found] == sorted((row["at"] for row in found), reverse=True)
    assert price_rows.of_model(client, *name) == []


def test_writing_nothing_keeps_nothing(client: Warehouse) -> None:
    """The same price again is no change."""
    name = ("vllm", "unchanged")
    assert len(price_table.put(client, _given(*name))) == 1
    assert price_table.put(client, _given(*name)) == []
    assert len(lists.history(client, *name)) == 1


def _book(*models: dict[str, Any], resources: list[dict[str, Any]] | None = None) -> PriceFile:
    fixed = {"provider": "vllm", "valid_from": "2026-03-01"}
    entries = [fixed | {"usd_per_million_tokens": {"input": 1}} | model for model in models]
    return price_file.parse(yaml.safe_dump({"models": entries, "resources": resources or []}), "f")


def test_a_file_is_what_the_table_becomes(client: Warehouse) -> None:
    """Entries come, change and go with the file, resources too; without a file they stay."""
    gpu = {"resource": "gpu_hour", "label": "rack-7", "valid_from": "2026-03-01", "usd_per_hour": "2.1"}
    core = {"resource": "cpu_core_hour", "valid_from": "2026-03-01", "usd_per_hour": "0.04"}
    first = _book({"model": "filed-1"}, {"model": "filed-2"}, resources=[gpu, core])
    assert price_table.synchronise(client, first) == 4
    assert price_table.synchronise(client, first) == 0
    assert price_table.synchronise(client) == 0
    second = _book({"model": "filed-2", "usd_per_million_tokens": {"input": 5}}, resources=[gpu | {"usd_per_hour": 3}])
    pending = [(c.action, c.row.get("model") or c.row["resource"]) for c in price_table.pending(client, second)]
    assert sorted(pending) == [
        ("changed", "filed-2"),
        ("changed", "gpu_hour"),
        ("removed", "cpu_core_hour"),
        ("removed", "filed-1"),
    ]
    assert price_table.synchronise(client, second) == 4
    assert [(r["label"], r["nano_usd"]) for r in price_rows.resources(client)] == [("rack-7", 3_000_000_000)]
    changes = client.rows("SELECT action, row FROM price_changes WHERE resource = 'gpu_hour' ORDER BY at")
    assert [(c["action"], json.loads(c["row"])["nano_usd"]) for c in changes] == [
        ("added", 2_100_000_000),
        ("changed", 3_000_000_000),
    ]
    assert price_table.synchronise(client, PriceFile([], [])) == 2


def test_a_file_does_not_contradict_what_was_set(client: Warehouse) -> None:
    """A file's price beside one set by hand is fine, over it is refused and nothing of the file is written."""
    price_table.put(client, _given("vllm", "by-hand", "2026-04-01"))
    beside = _book({"model": "by-hand", "valid_to": "2026-04-01"})
    assert [c.action for c in price_table.pending(client, beside)] == ["added"]
    over = _book({"model": "innocent"}, {"model": "by-hand"})
    with pytest.raises(PriceError, match="vllm by-hand has a price of source 'override' already, from 2026-04-01"):
        price_table.synchronise(client, over)
    assert price_rows.of_model(client, "vllm", "innocent") == []


def test_an_exported_price_becomes_the_files(client: Warehouse) -> None:
    """A price set by hand can be exported and kept in a file: it is the same price, with another source."""
    price_table.put(client, _given("vllm", "adopted", "2026-04-01", request="0.001"))
    rows = price_rows.of_model(client, "vllm", "adopted")
    book = price_file.parse(export.export(rows, [], "yaml"), "f")
    assert price_table.synchronise(client, book) == 1
    assert price_rows.of_model(client, "vllm", "adopted") == [rows[0] | {"source": "file"}]
    assert price_table.synchronise(client, PriceFile([], [])) == 1
    assert price_rows.of_model(client, "vllm", "adopted") == []


@given(
    interval=st.tuples(MOMENTS, MOMENTS).filter(lambda ends: ends[0] < ends[1]),
    taken=st.lists(st.tuples(MOMENTS, MOMENTS).filter(lambda ends: ends[0] < ends[1])).map(sorted),
)
def test_what_is_left_of_an_interval(interval: tuple[int, int], taken: list[tuple[int, int]]) -> None:
    """The parts are not empty, in order, apart from each other, and hold just the moments that nobody took."""
    left = price_rows.uncovered(*interval, taken)
    moments = [moment for start, end in left for moment in range(start, end)]
    assert all(start < end for start, end in left)
    assert all(before[1] < after[0] for before, after in itertools.pairwise(left))
    assert moments == [m for m in range(*interval) if not any(start <= m < end for start, end in taken)]
