"""Spans that lost their parent find it again where an id that they kept tells which it is, and nowhere else."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import NamedTuple

import pytest

from spyglass.warehouse import finaliser
from spyglass.warehouse.client import Warehouse
from spyglass.warehouse.finaliser import reconcile
from tests.warehouse import topologies
from tests.warehouse.topologies import Edge, Part
from tests.warehouse.wire import Server

NEVER = timedelta(days=1)
KEPT = timedelta(days=90)
HOUR = timedelta(hours=1)
EDGES = """
SELECT caller, callee_kind, callee, sum(calls), sum(inferred_calls) FROM $table WHERE organization = {o:String}
GROUP BY ALL
"""
TOTALS = """
SELECT count(), sum(input_tokens), sum(output_tokens) FROM llm_calls WHERE organization = {o:String}
"""
numbers = count(900_000_000, 5_000_000)


class Graph(NamedTuple):
    """Hold who called whom how often, and how many of these calls were inferred."""

    edges: Counter[Edge]
    inferred: int


def _send(server: Server, parts: Iterable[Part], organization: str, begin: int) -> None:
    rows = [part.row(organization, begin) for part in parts]
    for at in range(0, len(rows), 500):
        assert server.insert("otel_traces", rows[at : at + 500]).status == 200


def _tick(server: Server) -> None:
    for _ in finaliser.catch_up(server.client("admin"), NEVER):
        pass


def _graph(server: Server, organization: str, table: str = "agent_edges") -> Graph:
    rows = [tuple(row.values()) for row in server.client("reader").rows(EDGES.replace("$table", table), o=organization)]
    return Graph(Counter({row[:3]: row[3] for row in rows}), sum(row[4] for row in rows))


def _begin() -> int:
    return (time.time_ns() - 3 * 3600 * 10**9) // 10**9 * 10**9


def _quality(expected: Counter[Edge], found: Counter[Edge]) -> tuple[float, float]:
    right = (expected & found).total()
    return right / max(found.total(), 1), right / expected.total()


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_edges(server: Server, share: float) -> None:
    """Of whole runs all edges are there and none is inferred; with 30 % broken, 99 % are right and 95 % are there."""
    runs = topologies.invent(next(numbers), 120, seed=5)
    chance = random.Random(6)
    parts = [part for run in runs for part in topologies.broken(run, chance, share)]
    organization = f"joins-{share}"
    _send(server, parts, organization, _begin())
    _tick(server)
    expected = sum((topologies.edges(run) for run in runs), Counter())
    found = _graph(server, organization)
    precision, recall = _quality(expected, found.edges)
    print(share, precision, recall, found.inferred, expected.total())
    print("wrong", list((found.edges - expected).items())[:40])
    print("missing", list((expected - found.edges).items())[:40])
    assert precision >= 0.99
    assert recall >= 0.95
