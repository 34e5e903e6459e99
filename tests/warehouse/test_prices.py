"""Costs are those of the genai-prices package, to the nano-dollar, from the moment that a span is stored."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from genai_prices import Usage
from genai_prices.data_snapshot import get_snapshot
from hypothesis import given, settings
from hypothesis import strategies as st

from spyglass.warehouse import price_book, prices
from spyglass.warehouse.client import Warehouse
from spyglass.warehouse.dictionaries import reload_prices
from spyglass.warehouse.statements import literal
from tests.warehouse.wire import Server, span, usage

# Some ids of the package do not match themselves: no span carries them.
NAMES = [name for name in sorted(set(price_book.names())) if price_book.prices(*name)]
# The package's data has prices such as 0.08333333333333334 USD per million tokens (a third, computed): ours are whole
# nano-USD per million tokens, so such a price may differ by half a nano-USD per million tokens.
FINEST_USD_PER_MILLION = Decimal(1).scaleb(-9)


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[Warehouse]:
    """Provide the admin."""
    admin = server.client()
    yield admin
    admin.close()


def _nano_usd(provider: str, model: str, counts: dict[str, int], at: datetime) -> int | None:
    """Return the package's own cost, or None where it knows no price of input."""
    snapshot = get_snapshot()
    found, info = snapshot.find_provider_model(model, None, price_book._PROVIDERS.get(provider, provider), None)
    if info.get_prices(at).input_mtok is None:
        return None
    names = {"input": "input_tokens", "output": "output_tokens", "cache_read": "cache_read_tokens"}
    names |= {"cache_write": "cache_write_tokens", "reasoning": "output_reasoning_tokens"}
    given_usage = Usage(**{names[name]: value for name, value in counts.items()})
    total = info.calc_price(given_usage, found, genai_request_timestamp=at).total_price
    return int((total * 10**9).to_integral_value(ROUND_HALF_UP))


def _tolerance(provider: str, model: str, counts: dict[str, int]) -> int:
    fine = any(_is_fine(price) for price in _library_prices(provider, model))
    return 1 + sum(counts.values()) // 2_000_000 if fine else 0


def _library_prices(provider: str, model: str) -> Iterator[Decimal]:
    _, info = get_snapshot().find_provider_model(model, None, price_book._PROVIDERS.get(provider, provider), None)
    conditions = [info.prices] if not isinstance(info.prices, list) else [each.prices for each in info.prices]
    for price in conditions:
        for value in price.__dict__.values():
            if isinstance(value, Decimal):
                yield value
            elif value is not None:
                yield from (value.base, *(tier.price for tier in value.tiers))


def _is_fine(price: Decimal) -> bool:
    return price % FINEST_USD_PER_MILLION != 0


@st.composite
def calls(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a model of the package, a usage that it could have, and a time."""
    provider, model = draw(st.sampled_from(NAMES))
    largest = draw(st.sampled_from([10, 5_000, 400_000, 1_000_000_000]))
    read = draw(st.integers(0, largest // 2))
    write = draw(st.integers(0, largest // 2))
    output = draw(st.integers(0, largest))
    counts = {"input": read + write + draw(st.integers(0, largest - read - write)), "output": output}
    counts |= {"cache_read": read, "cache_write": write, "reasoning": draw(st.integers(0, output))}
    seconds = draw(st.integers(0, 3 * 365 * 86_400))
    return {
        "provider": provider,
        "model": model,
        "counts": counts,
        "at": datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds),
    }


def _costs(server: Server, drawn: list[dict[str, Any]]) -> list[int | None]:
    """Return what the warehouse's own function makes of the calls."""
    fixed = ("provider", "model")
    lines = [
        {"n": n, "moment": int(call["at"].timestamp())} | {name: call[name] for name in fixed} | call["counts"]
        for n, call in enumerate(drawn)
    ]
    structure = "n UInt32, provider String, model String, moment DateTime('UTC')" + "".join(
        f", {name} Nullable(UInt64)" for name in ("input", "output", "cache_read", "cache_write", "reasoning")
    )
    data = "\n".join(json.dumps(line) for line in lines)
    answer = server.sql(
        "SELECT spyglass_cost_nano_usd("
        "'llm', provider, model, moment, input, output, cache_read, cache_write, reasoning) "
        f"FROM format(JSONEachRow, {literal(structure)}, {literal(data)}) ORDER BY n"
    )
    return [None if line == "\\N" else int(line) for line in answer.splitlines()]


@settings(max_examples=25, deadline=None)
@given(drawn=st.lists(calls(), min_size=20, max_size=40))
def test_cost_is_the_packages(server: Server, drawn: list[dict[str, Any]]) -> None:
    """For any model of the package, any usage and any time, the warehouse and the package agree to the nano-dollar."""
    for call, cost in zip(drawn, _costs(server, drawn), strict=True):
        expected = _nano_usd(call["provider"], call["model"], call["counts"], call["at"])
        if expected is None or cost is None:
            assert cost == expected, call
        else:
            assert abs(cost - expected) <= _tolerance(call["provider"], call["model"], call["counts"]), (call, expected)


def test_only_computed_prices_are_rounded() -> None:
    """The list of prices that differ from the package's: all are cache writes and like figures with 16 decimals."""
    fine = {(p, m) for p, m in NAMES for price in _library_prices(p, m) if _is_fine(price)}
    assert {provider for provider, _ in fine} <= {"openrouter", "huggingface_together"}
    assert len(fine) < 40


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
        row = span(22_000 + number, usage("changing", "own", input=10, output=0), Timestamp=f"{moment}.0")
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
        row = span(23_000 + tokens, usage("half", "own", input=tokens, output=0))
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
    resolved = {found.model: found for found in prices.resolve_new_models(client)}
    assert resolved[name].source_model == "anthropic/claude-3-5-haiku-latest"
    assert resolved[name].spans == 3
    expected = [{"spans": 3, "cost": 3 * (1000 * 800 + 100 * 4000), "unpriced": 0}]
    assert server.client("reader").rows(sql) == expected
    assert prices.resolve_new_models(client) == []
    server.insert("otel_traces", rows)  # the same spans again, now priced at insert
    assert server.client("reader").rows(sql) == expected


def test_unknown_names_are_remembered(server: Server, client: Warehouse) -> None:
    """A name that nobody knows is reported once, stays unpriced by name, and is not looked up again."""
    server.insert("otel_traces", [span(25_001, usage("my-own-llama", "vllm", input=1, output=1))])
    resolved = [found for found in prices.resolve_new_models(client) if found.model == "my-own-llama"]
    assert [(found.provider, found.source_model) for found in resolved] == [("vllm", "")]
    assert prices.resolve_new_models(client) == []
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
    prices.resolve_new_models(client)
    after = server.client("reader").rows(sql)[0]
    assert (before["cost_source"], after["cost_source"]) == ("unpriced", "computed")
    assert before["at"] == after["at"]


def test_synchronising_twice_writes_nothing(client: Warehouse) -> None:
    """The table already has the package's prices: the start wrote them."""
    assert prices.synchronise(client) == 0


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
    assert prices.synchronise(client) >= 2
    assert client.rows(sql)[0]["rows"] == 1
    monkeypatch.undo()
    prices.synchronise(client)
    assert client.rows(sql)[0]["rows"] == before
    reload_prices(client)


@pytest.mark.parametrize(
    ("provider", "model", "source"),
    [
        ("gcp.gemini", "gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("gcp.vertex_ai", "gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("gcp.gen_ai", "gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("azure.ai.openai", "gpt-4o", "azure/gpt-4o"),
        ("x_ai", "grok-3", "x-ai/grok-3"),
        ("mistral_ai", "mistral-large-latest", "mistral/mistral-large"),
        ("aws.bedrock", "anthropic.claude-3-5-sonnet-20240620-v1:0", "aws/"),
        ("", "gpt-4o", "openai/gpt-4o"),
        ("openai", "", ""),
        ("langchain", "gpt-4o", ""),
    ],
)
def test_providers_of_the_conventions(provider: str, model: str, source: str) -> None:
    """OpenTelemetry's provider names find the package's; a name that is no provider is not guessed."""
    found = price_book.prices(provider, model)
    assert (found[0].source_model if found else "").startswith(source)
    assert bool(found) == bool(source)
