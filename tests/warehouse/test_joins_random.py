"""Whatever spans lost their parent, each is given the one that the concept says, or none."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from spyglass.warehouse import finaliser
from tests.warehouse.joining import World
from tests.warehouse.test_joins import begin_ns
from tests.warehouse.topologies import Part
from tests.warehouse.wire import Server

KINDS = ("agent", "agent", "llm", "llm", "tool", "task", "queue", "workflow")
IDS = ("conversation", "tool_call", "response", "message")
EXECUTIONS = """
SELECT organization, execution_id AS span, parent_execution_id, parent_trace_id, inferred_from
FROM fact_agent_executions WHERE startsWith(organization, {o:String})
"""
CALLS = """
SELECT organization, span_id AS span, execution_id, execution_trace_id, inferred_from
FROM llm_calls WHERE startsWith(organization, {o:String})
"""
batches = count(1)


def _grown(seed: int, spans: int, first: int) -> list[Part]:
    """Return spans of up to three traces: short and long ones, at once and one after the other, with few ids."""
    chance = random.Random(seed)  # noqa: S311 -- the same each time
    made: list[Part] = []
    for at in range(spans):
        trace = first + chance.randrange(3)
        start = chance.choice((0, 0, 10, 100, 105, 400, 1_200))
        known = [part.number for part in made if part.trace == trace]
        lost = not known or chance.random() < 0.4
        made.append(
            Part(
                number=first + at,
                trace=trace,
                parent=chance.choice((None, first + 900)) if lost else chance.choice(known),
                kind=(kind := chance.choice(KINDS)),
                name={"agent": chance.choice("AB"), "llm": "gpt-4o"}.get(kind, "x"),
                start=start,
                end=start + chance.choice((0, 90, 100, 100, 300, 1_000)),
                scope=chance.choice(("framework", "sdk")),
                span_kind=chance.choice(("Internal", "Producer", "Consumer")),
                ids={rule: chance.choice("uv") for rule in IDS if chance.random() < 0.35},
                link=(made[0].trace, made[0].number) if made and chance.random() < 0.1 else None,
            )
        )
    return made


def _expected(worlds: dict[str, list[Part]]) -> dict[Any, Any]:
    found = {}
    for organization, parts in worlds.items():
        world = World(parts)
        for part in parts:
            caller = world.caller(part)
            other = f"{caller.trace:032x}" if caller and caller.trace != part.trace else ""
            found[organization, f"{part.number:016x}"] = (
                (f"{caller.span:016x}", other, caller.rule) if caller else ("", "", "")
            )
    return found


def _differences(server: Server, seeds: Sequence[tuple[int, int]]) -> tuple[list[Any], int]:
    """Return what differs, and of how many rows something was inferred."""
    batch, first = f"lost-{next(batches)}-", next(batches) * 10**9
    worlds = {f"{batch}{at}": _grown(*seed, first + at * 1_000) for at, seed in enumerate(seeds)}
    begin = begin_ns()
    sent = [part.row(organization, begin) for organization, parts in worlds.items() for part in parts]
    assert server.insert("otel_traces", sent).status == 200
    for _ in finaliser.catch_up(server.client("admin"), timedelta(days=1)):
        pass
    expected = _expected(worlds)
    reader = server.client("reader")
    rows = [tuple(row.values()) for sql in (EXECUTIONS, CALLS) for row in reader.rows(sql, o=batch)]
    wrong = [
        (expected[organization, span], found, span, worlds[organization])
        for organization, span, *found in rows
        if tuple(found) != expected[organization, span]
    ]
    return sorted(wrong, key=lambda each: len(each[-1])), sum(row[-1] != "" for row in rows)


def test_parents_are_those_of_the_concept(server: Server) -> None:
    """Callers of executions and owners of calls, and by what they were found, are those of the concept."""
    chance = random.Random(8)  # noqa: S311 -- the same each time
    wrong, inferred = _differences(server, [(chance.randrange(2**32), chance.randint(2, 9)) for _ in range(600)])
    assert wrong[:1] == []
    assert inferred > 100


@settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # a smaller batch is no clearer: the smallest world that differs is shown
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seeds=st.lists(st.tuples(st.integers(0, 2**32), st.integers(1, 12)), min_size=150, max_size=150))
def test_so_they_are_of_any_spans(server: Server, seeds: list[tuple[int, int]]) -> None:
    """Of any spans that hypothesis thinks of, too."""
    assert _differences(server, seeds)[0][:1] == []
