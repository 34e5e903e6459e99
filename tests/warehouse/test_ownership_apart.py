"""Two libraries report one call in traces of their own, because the context is lost between them: it counts once."""

from __future__ import annotations

import time
from datetime import timedelta
from itertools import count

import pytest

from spyglass.warehouse import finaliser
from tests.warehouse.ownership import Node
from tests.warehouse.wire import Server

CALLS = "SELECT span_id FROM llm_calls WHERE organization = {o:String} ORDER BY span_id"
DATED = "gpt-4o-2024-08-06"
USED = (52, 17)
numbers = count(1)


def counting(server: Server, *traces: tuple[Node, ...], processes: int = 1, in_order: bool = True) -> list[int]:
    """Return the numbers of the spans that count as calls, of traces of one process (or of several)."""
    number = next(numbers)
    organization = f"apart-{number}"
    begin = time.time_ns() // 10**9 * 10**9 - 600 * 10**9
    for place, trace in enumerate(traces if in_order else reversed(traces)):
        rows = [node.row(f"a{number:07x}{place:08x}{begin % 16**16:016x}", organization, begin) for node in trace]
        for row in rows:
            row["ResourceAttributes"]["service.instance.id"] = f"{organization}-{place % processes}"
        assert server.insert("otel_traces", rows).status == 200
    for _ in finaliser.catch_up(server.client("admin"), timedelta(0)):
        pass
    return [int(row["span_id"], 16) for row in server.client("reader").rows(CALLS, o=organization)]


def framework(number: int, **given: object) -> tuple[Node, ...]:
    """Return the trace of an agent with one call."""
    agent = Node(number, kind="agent", scope="framework", length=1000)
    return agent, Node(number + 1, number, scope="framework", start=10, length=200, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("in_order", [True, False])
@pytest.mark.parametrize(
    ("of_framework", "of_client"),
    [
        ({"tokens": USED}, {"tokens": USED}),
        ({"tokens": USED}, {"tokens": USED, "model": DATED}),
        ({"failed": True}, {"failed": True}),
        ({"failed": True}, {"failed": True, "model": ""}),
    ],
    ids=["tokens", "dated name", "failed", "failed without a model"],
)
def test_the_call_that_has_a_place_counts(
    server: Server, of_framework: dict[str, object], of_client: dict[str, object], *, in_order: bool
) -> None:
    """The client's call inside that of a framework is the same, in whatever order they come."""
    client = (Node(9, scope="client", start=20, length=100, **of_client),)  # type: ignore[arg-type]
    assert counting(server, framework(1, **of_framework), client, in_order=in_order) == [2]


@pytest.mark.parametrize(
    "of_client",
    [
        {"tokens": (52, 18)},
        {"tokens": USED, "start": 500},
        {"tokens": USED, "scope": "framework"},
        {"failed": True},
        {},
    ],
    ids=["other tokens", "another time", "the same scope", "another outcome", "no tokens"],
)
def test_another_call_counts_beside(server: Server, of_client: dict[str, object]) -> None:
    """Another number, time, scope or outcome is another call."""
    client = (Node(9, **{"scope": "client", "start": 20, **of_client}),)  # type: ignore[arg-type]
    assert counting(server, framework(1, tokens=USED), client) == [2, 9]


@pytest.mark.parametrize("in_order", [True, False])
def test_one_response_is_one_call_whatever_the_tokens(server: Server, *, in_order: bool) -> None:
    """Two libraries that name one response report one call, though one of them counts otherwise."""
    client = (Node(9, scope="client", start=20, tokens=(52, 18), response="r"),)
    assert len(counting(server, framework(1, tokens=USED, response="r"), client, in_order=in_order)) == 1


def test_two_responses_are_two_calls(server: Server) -> None:
    """Calls with the same tokens at the same time are two where their responses have different ids."""
    client = (Node(9, scope="client", start=20, tokens=USED, response="b"),)
    assert counting(server, framework(1, tokens=USED, response="a"), client) == [2, 9]


def test_calls_of_two_processes_are_two(server: Server) -> None:
    """Only one process loses the context between its own libraries."""
    client = (Node(9, scope="client", start=20, tokens=USED),)
    assert counting(server, framework(1, tokens=USED), client, processes=2) == [2, 9]


def test_failures_of_two_models_are_two(server: Server) -> None:
    """Failed calls of models whose names begin differently are two calls."""
    client = (Node(9, scope="client", start=20, failed=True, model="claude-haiku-4-5"),)
    assert counting(server, framework(1, failed=True), client) == [2, 9]


@pytest.mark.parametrize("in_order", [True, False])
def test_of_two_roots_the_one_without_a_fault_counts(server: Server, *, in_order: bool) -> None:
    """Where both are alone in their traces, the outer counts, unless only its emitter is known to count wrong."""
    outer, inner = Node(1, scope="a", length=200, tokens=USED), Node(2, scope="b", start=10, tokens=USED)
    assert counting(server, (outer,), (inner,), in_order=in_order) == [1]
    faulty = Node(1, scope="a", length=200, tokens=(52, 18), response="r", fault="adds one")
    assert counting(server, (faulty,), (Node(2, scope="b", start=10, tokens=USED, response="r"),)) == [2]


def test_in_one_trace_the_scope_without_a_fault_counts(server: Server) -> None:
    """Of two scopes beside each other that report one response, that without a known fault counts."""
    agent = Node(1, kind="agent", length=500)
    faulty = Node(2, 1, scope="a", tokens=(52, 18), response="r", fault="adds one")
    assert counting(server, (agent, faulty, Node(3, 1, scope="b", tokens=USED, response="r"))) == [3]
