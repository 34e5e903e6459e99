"""Spans that lost their parent find it again where an id that they kept tells which it is, and nowhere else."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import NamedTuple

import pytest

from spyglass.warehouse import finaliser
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
EXECUTIONS = """
SELECT execution_id, agent, parent_agent, parent_execution_id, parent_trace_id != '', inferred_from, spans,
    llm_calls, tool_calls, input_tokens, output_tokens
FROM fact_agent_executions WHERE organization = {o:String}
"""
CALLS = """
SELECT span_id, agent, execution_id, inferred_from, input_tokens FROM llm_calls WHERE organization = {o:String}
"""
TOTALS = """
SELECT count(), sum(input_tokens), sum(output_tokens) FROM llm_calls WHERE organization = {o:String}
"""
numbers = count(900_000_000, 5_000_000)


class Graph(NamedTuple):
    """Hold who called whom how often, and how many of these calls were inferred."""

    edges: Counter[Edge]
    inferred: int


def send(server: Server, parts: Iterable[Part], organization: str, begin: int) -> None:
    """Insert spans as the collector does."""
    rows = [part.row(organization, begin) for part in parts]
    for at in range(0, len(rows), 500):
        assert server.insert("otel_traces", rows[at : at + 500]).status == 200


def _tick(server: Server) -> None:
    for _ in finaliser.catch_up(server.client("admin"), NEVER):
        pass


def _graph(server: Server, organization: str, table: str = "agent_edges") -> Graph:
    rows = [tuple(row.values()) for row in server.client("reader").rows(EDGES.replace("$table", table), o=organization)]
    return Graph(Counter({row[:3]: row[3] for row in rows}), sum(row[4] for row in rows))


def begin_ns() -> int:
    """Return a time three hours ago, in a closed hour."""
    return (time.time_ns() - 3 * 3600 * 10**9) // 10**9 * 10**9


def _quality(expected: Counter[Edge], found: Counter[Edge]) -> tuple[float, float]:
    right = (expected & found).total()
    return right / max(found.total(), 1), right / expected.total()


def _runs(count: int, seed: int, share: float) -> tuple[Counter[Edge], list[Part]]:
    """Return who calls whom in some runs, and their spans with a share of the links broken."""
    runs = topologies.invent(next(numbers), count, seed)
    chance = random.Random(seed)  # noqa: S311 -- the same each time
    parts = [part for run in runs for part in topologies.broken(run, chance, share)]
    return sum((topologies.edges(run) for run in runs), Counter()), parts


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_edges(server: Server, share: float) -> None:
    """Of whole runs all edges are there and none is inferred; with 30 % broken, 99 % are right and 95 % are there."""
    expected, parts = _runs(120, 5, share)
    organization = f"joins-{share}"
    send(server, parts, organization, begin_ns())
    _tick(server)
    for table in ("agent_edges", "rollup_edges_minute", "rollup_edges_hour"):
        found = _graph(server, organization, table)
        precision, recall = _quality(expected, found.edges)
        assert (precision, recall) == (1.0, 1.0) if share == 0 else precision >= 0.99 and recall >= 0.95
        assert (found.inferred > expected.total() / 10) == (share > 0)


def test_runs_that_follow_each_other_are_not_joined(server: Server) -> None:
    """Runs of one conversation one after the other, and runs of different ones at once, stay on their own."""
    begin = begin_ns()
    stages = []
    for turn, (conversation, start) in enumerate((("one", 0), ("one", 1_500), ("one", 3_001), ("two", 100))):
        stage = topologies.Stage(random.Random(turn), next(numbers), conversation)  # noqa: S311 -- as above
        stage.close(stage.add("agent", f"A {turn}", None, start), start + 1_500)
        stages += stage.parts
    send(server, stages, "turns", begin)
    _tick(server)
    assert _graph(server, "turns") == (Counter(), 0)
    (row,) = server.client("reader").rows(
        "SELECT count() AS runs, countIf(parent_execution_id != '') AS called FROM fact_agent_executions "
        "WHERE organization = 'turns'"
    )
    assert row == {"runs": 4, "called": 0}


@pytest.mark.parametrize("seed", [1, 2])
def test_any_order_gives_the_same(server: Server, seed: int) -> None:
    """Shuffled, in pieces with runs between, some twice: rows are those of what came at once, and reconciled."""
    expected, parts = _runs(18, seed, 0.4)
    begin = begin_ns()
    send(server, parts, f"once-{seed}", begin)
    _tick(server)
    chance = random.Random(seed)  # noqa: S311 -- as above
    parts = parts + parts[::4]
    chance.shuffle(parts)
    moved = [
        replace(part, trace=part.trace + 10**15, link=part.link and (part.link[0] + 10**15, part.link[1]))
        for part in parts
    ]
    for at in range(0, len(moved), len(moved) // 7 + 1):
        send(server, moved[at : at + len(moved) // 7 + 1], f"pieces-{seed}", begin)
        _tick(server)
    once, pieces = (_rows(server, f"{name}-{seed}") for name in ("once", "pieces"))
    assert pieces == once
    assert _quality(expected, _graph(server, f"pieces-{seed}").edges)[0] >= 0.98
    first = datetime.fromtimestamp(begin / 1e9, UTC).replace(minute=0, second=0, microsecond=0)
    asked = reconcile.Range(first, first + 2 * HOUR)
    assert list(reconcile.differences(server.client("admin"), asked, NEVER, KEPT)) == []


def _rows(server: Server, organization: str) -> dict[str, list[tuple[object, ...]]]:
    reader = server.client("reader")
    return {
        name: sorted(tuple(row.values()) for row in reader.rows(sql, o=organization))
        for name, sql in {
            "executions": EXECUTIONS,
            "calls": CALLS,
            "edges": EDGES.replace("$table", "agent_edges"),
        }.items()
    }


def test_calls_count_once(server: Server) -> None:
    """Broken links change to whom calls belong, but neither how many there are nor their tokens."""
    sums = set()
    for share in (0.0, 0.3):
        _, parts = _runs(36, 9, share)
        send(server, parts, f"sums-{share}", begin_ns())
        _tick(server)
        sums.add(tuple(server.client("reader").rows(TOTALS, o=f"sums-{share}")[0].values()))
    assert len(sums) == 1


def test_a_link_to_what_never_came_joins_nothing(server: Server) -> None:
    """A run ends although what a root links to, or names as its parent, is nowhere; when it comes they are joined."""
    begin, first = begin_ns(), next(numbers)
    stage = topologies.Stage(random.Random(1), first, "late")  # noqa: S311 -- as above
    caller = stage.add("agent", "A", None, 0)
    callee = stage.add("agent", "B", None, 5, link=(first + 1, caller))
    stage.close(caller, 10)
    stage.close(callee, 500)
    above, below = stage.parts[0], replace(stage.parts[1], parent=first + 77, ids={})
    send(server, [below], "late", begin)
    _tick(server)
    assert _graph(server, "late") == (Counter(), 0)
    send(server, [replace(above, trace=first + 1, ids={})], "late", begin)
    _tick(server)
    assert _graph(server, "late") == (Counter({("A", "agent", "B"): 1}), 1)


def test_organizations_and_many_at_once_are_not_joined(server: Server) -> None:
    """The same ids in another organization join nothing, nor does one that hundreds have at once."""
    begin, first = begin_ns(), next(numbers)
    parts = [Part(first, first, None, "tool", "ask", 0, 900, ids={"tool_call": "call-1"})]
    parts += [
        Part(first + at, first + at, None, "agent", "B", 10, 90, ids={"tool_call": "call-1"}) for at in range(1, 300)
    ]
    send(server, parts[:1], "one", begin)
    send(server, parts[1:2], "other", begin)
    _tick(server)
    send(server, parts[2:], "one", begin)
    _tick(server)
    (row,) = server.client("reader").rows(
        "SELECT count() AS runs, countIf(inferred_from != '') AS joined FROM fact_agent_executions "
        "WHERE organization IN ('one', 'other')"
    )
    assert row == {"runs": 299, "joined": 0}
