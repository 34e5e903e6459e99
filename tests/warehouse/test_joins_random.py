"""Whatever spans lost their parent, each is given the one that the concept says, or none."""

from __future__ import annotations

import random
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


@settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # a smaller batch is no clearer: the smallest world that differs is shown
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seeds=st.lists(st.tuples(st.integers(0, 2**32), st.integers(2, 9)), min_size=150, max_size=150))
def test_any_span_finds_the_parent_that_the_concept_says(server: Server, seeds: list[tuple[int, int]]) -> None:
    """Callers of executions and owners of calls, and by what they were found, are those of the concept."""
    batch = f"lost-{next(batches)}-"
    first = next(batches) * 10**9
    worlds = {f"{batch}{at}": _grown(*seed, first + at * 1_000) for at, seed in enumerate(seeds)}
    begin = begin_ns()
    rows = [part.row(organization, begin) for organization, parts in worlds.items() for part in parts]
    assert server.insert("otel_traces", rows).status == 200
    for _ in finaliser.catch_up(server.client("admin"), timedelta(days=1)):
        pass
    expected = _expected(worlds)
    rows = [tuple(row.values()) for sql in (EXECUTIONS, CALLS) for row in server.client("reader").rows(sql, o=batch)]
    assert sum(row[-1] != "" for row in rows) > 20
    wrong = [
        (len(worlds[organization]), span, expected[organization, span], found, worlds[organization])
        for organization, span, *found in rows
        if tuple(found) != expected[organization, span]
    ]
    assert not wrong, min(wrong, key=lambda each: each[0])
