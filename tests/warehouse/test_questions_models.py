"""What the questions about models and their prices answer is what plain Python finds in the spans."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, timedelta
from typing import Any

import pytest

from tests.warehouse.fleet import Fleet, Range
from tests.warehouse.runs import CHEAP, DIALECT, PRICED, PRICES, UNPRICED
from tests.warehouse.truths import (
    SECOND,
    calls_of,
    check,
    coverage,
    groups,
    hour,
    input_tokens,
    output_tokens,
    use,
)

LONG = Range(timedelta(days=12), unit="hour")
EXACT = Range(timedelta(days=12), timedelta(hours=1))
TICK_SECONDS = 0.001  # rows are sent with their times as floats


def _quantile(share: float, values: Iterable[float]) -> Any:
    ordered = sorted(values)
    if not ordered:
        return None
    place = share * (len(ordered) - 1)
    low, part = int(place), place - int(place)
    return pytest.approx(ordered[low] + part * (ordered[min(low + 1, len(ordered) - 1)] - ordered[low]))


def test_model_comparison(fleet: Fleet) -> None:
    """Each model's calls come with errors, exact quantiles, speed, cache hits and the mean cost."""
    expected = {}
    for key, calls in groups(calls_of(fleet.during(EXACT)), lambda each: (each.name, each.kind)):
        cached = [call for call in calls if call.cached is not None and call.tokens]
        costs = [call.cost for call in calls if call.cost is not None]
        answered = [call for call in calls if call.tokens and not call.failed]
        firsts = [call.first_token_seconds for call in calls if call.first_token_seconds is not None]
        seconds = [call.duration_ns / SECOND for call in calls]
        hit = sum(call.cached or 0 for call in cached) / (input_tokens(cached) or 1)
        speed = (output_tokens(answered) or 0) / (sum(call.duration_ns for call in answered) / SECOND)
        expected[key] = use(calls) | {
            "calls": len(calls),
            "errors": sum(call.failed for call in calls),
            "p50_seconds": _quantile(0.5, seconds),
            "p95_seconds": _quantile(0.95, seconds),
            "p50_first_token_seconds": _quantile(0.5, firsts),
            "p95_first_token_seconds": _quantile(0.95, firsts),
            "output_tokens_per_second": pytest.approx(speed),
            "cache_hit_ratio": pytest.approx(hit),
            "cost_per_call_nano_usd": round(sum(costs) / len(costs)) if costs else None,
        }
    assert {name for name, _ in expected} == {PRICED, CHEAP, UNPRICED}
    check(fleet.rows("model_comparison", EXACT), ("model", "kind"), expected)


def test_cache_savings(fleet: Fleet) -> None:
    """Cached tokens are worth the difference of the two prices; without a price that is unknown."""
    expected = {}
    for key, calls in groups((c for c in calls_of(fleet.during(EXACT)) if c.cached), lambda each: (each.name,)):
        cached = sum(call.cached or 0 for call in calls)
        prices = PRICES.get(calls[0].name)
        saved = cached * (prices[0] - prices[1]) if prices else None
        expected[key] = {
            "calls": len(calls),
            "cache_read_tokens": cached,
            "cache_hit_ratio": pytest.approx(cached / (input_tokens(calls) or 1)),
            "saved_nano_usd": saved,
            "write_surcharge_nano_usd": 0 if prices else None,
            "net_saved_nano_usd": saved,
            "unpriced_calls": 0 if prices else len(calls),
        }
    check(fleet.rows("cache_savings", EXACT), ("model",), expected)


def test_unpriced_models(fleet: Fleet) -> None:
    """Only the model without a price is named, with the calls and tokens that no cost has."""
    calls = [call for call in calls_of(fleet.during(LONG)) if call.tokens and call.cost is None]
    last = max(hour(call) for call in calls)
    (row,) = fleet.rows("unpriced_models", LONG)
    assert row == {
        "provider": "openai",
        "model": UNPRICED,
        "calls": len(calls),
        "tokens": sum(sum(call.tokens) for call in calls if call.tokens),
        "reported_cost_nano_usd": None,
        "last_at": last,
    }


def test_coverage(fleet: Fleet) -> None:
    """Calls are split by where their tokens come from, and what no cost has is a share of calls and tokens."""
    expected = {}
    for key, calls in groups(calls_of(fleet.during(EXACT)), lambda each: (each.organization, each.project)):
        used = use(calls)
        counted = [call for call in calls if call.tokens]
        expected[key] = coverage(calls) | {
            "calls": len(calls),
            "usage_reported_calls": len(counted),
            "usage_estimated_calls": 0,
            "usage_aggregated_calls": 0,
            "calls_without_usage": used["calls_without_usage"],
            "failed_calls_without_usage": sum(call.tokens is None and call.failed for call in calls),
            "priced_calls": sum(call.cost is not None for call in calls),
            "unpriced_calls": used["unpriced_calls"],
            "tokens": sum(sum(call.tokens) for call in counted if call.tokens),
            "unpriced_tokens": sum(sum(call.tokens) for call in counted if call.tokens and call.cost is None),
            "cost_nano_usd": used["cost_nano_usd"],
            "reported_cost_nano_usd": None,
        }
    check(fleet.rows("coverage", EXACT), ("organization", "project"), expected)


def test_calls_without_usage(fleet: Fleet) -> None:
    """Answered calls without tokens are counted by the framework that made them and by model, with their agents."""
    silent = [call for call in calls_of(fleet.during(EXACT)) if call.tokens is None and not call.failed]
    found = dict(groups(silent, lambda each: (each.framework, each.name)))
    assert {bool(framework) for framework, _ in found} == {True, False}
    rows = fleet.rows("calls_without_usage", EXACT)
    expected = {key: {"dialect": DIALECT if key[0] else "", "calls": len(calls)} for key, calls in found.items()}
    check(rows, ("framework", "model"), expected)
    for row in rows:
        last = max(call.start_ns for call in found[row["framework"], row["model"]])
        assert abs(row["last_at"].replace(tzinfo=UTC).timestamp() - last / SECOND) < TICK_SECONDS
        assert row["agents"]
