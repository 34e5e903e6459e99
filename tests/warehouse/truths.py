"""Compute in plain Python what questions answer, and compare rows with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest

from tests.warehouse.runs import Span

Key = TypeVar("Key")
Item = TypeVar("Item")
Row = dict[str, Any]
SECOND = 10**9
HOUR = 3600 * SECOND
# nano-USD for an hour of a core, of a GB and of a GPU
HOURLY = {"cpu_core_hour": 40_000_000, "memory_gb_hour": 5_000_000, "gpu_hour": 2_500_000_000}


def calls_of(spans: Iterable[Span]) -> list[Span]:
    """Return the calls of models."""
    return [span for span in spans if span.is_call]


def agents_of(spans: Iterable[Span]) -> list[Span]:
    """Return the spans of agents."""
    return [span for span in spans if span.kind == "agent"]


def hour(span: Span) -> datetime:
    """Return the hour in which a span began, as the client gives it."""
    return datetime.fromtimestamp(span.start_ns // HOUR * 3600, UTC).replace(tzinfo=None)


def check(rows: Sequence[Row], names: Sequence[str], expected: Mapping[tuple[Any, ...], Row]) -> None:
    """Compare what is expected of each row; these columns tell rows apart."""
    assert expected
    assert len(rows) == len(expected)
    found = {tuple(row[name] for name in names): row for row in rows}
    assert found.keys() == expected.keys()
    assert {key: only(row, expected[key]) for key, row in found.items()} == expected


def grouped(items: Iterable[Item], key: Callable[[Item], Key]) -> dict[Key, list[Item]]:
    """Return the items by a key."""
    found: dict[Key, list[Item]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return found


def total(values: Iterable[float | None]) -> float | None:
    """Return the sum of what is known; None where nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def input_tokens(spans: Iterable[Span]) -> float | None:
    """Return the tokens that went in, where any are known."""
    return total(span.tokens and span.tokens[0] for span in spans)


def output_tokens(spans: Iterable[Span]) -> float | None:
    """Return the tokens that came out, where any are known."""
    return total(span.tokens and span.tokens[1] for span in spans)


def use(calls: Sequence[Span]) -> dict[str, Any]:
    """Return what all totals say of model calls: tokens, cost, and what these lack."""
    return {
        "input_tokens": input_tokens(calls),
        "output_tokens": output_tokens(calls),
        "cost_nano_usd": total(call.cost for call in calls),
        "unpriced_calls": sum(call.tokens is not None and call.cost is None for call in calls),
        "calls_without_usage": sum(call.tokens is None and not call.failed for call in calls),
    }


def coverage(calls: Sequence[Span]) -> dict[str, Any]:
    """Return the shares of calls and tokens whose cost is known."""
    gaps = sum(call.cost is None and not (call.tokens is None and call.failed) for call in calls)
    tokens = sum(sum(call.tokens) for call in calls if call.tokens)
    priced = sum(sum(call.tokens) for call in calls if call.tokens and call.cost is not None)
    return {
        "priced_call_ratio": pytest.approx(1 - gaps / len(calls)) if calls else None,
        "priced_token_ratio": pytest.approx(priced / tokens) if tokens else None,
    }


def resource_costs(agents: Iterable[Span]) -> dict[str, Any]:
    """Return what the resources of executions cost, in nano-USD."""
    used = [agent.used for agent in agents if agent.used]
    return {
        f"{name}_cost_nano_usd": total(round(use[place] * price / 3600) for use in used)
        for place, (name, price) in enumerate(zip(("cpu", "memory", "gpu"), HOURLY.values(), strict=True))
    }


def only(row: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, Any]:
    """Return those columns of a row that something is expected of."""
    return {name: row[name] for name in expected}


def between(share: float, values: Iterable[float]) -> tuple[float, float]:
    """Return the values that a quantile lies between, wider by the two digits that its state keeps."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    return ordered[int(place)] * (1 - 2**-7), ordered[min(int(place) + 1, len(ordered) - 1)] * (1 + 2**-7)


def groups(spans: Iterable[Span], key: Callable[[Span], tuple[Any, ...]]) -> Iterable[tuple[Any, list[Span]]]:
    """Return the spans by a key, as pairs."""
    return grouped(spans, key).items()
