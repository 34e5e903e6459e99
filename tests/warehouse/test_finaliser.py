"""Executions, calls and edges are exact, however the spans come."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from spyglass.errors import FinaliserBusyError, StatementError
from spyglass.warehouse import finaliser
from spyglass.warehouse.client import Warehouse
from spyglass.warehouse.finaliser import runs, workplace
from tests.conftest import eventually
from tests.warehouse.arrivals import ARRIVALS, Arrival, send
from tests.warehouse.command import spyglass
from tests.warehouse.runs import PRICED, Span, invent, truth
from tests.warehouse.wire import Server

NEVER = timedelta(days=1)
EXECUTIONS = """
SELECT trace_id, execution_id, agent, parent_agent, status, spans, llm_calls, llm_errors, tool_calls, input_tokens,
    output_tokens, token_cost_nano_usd, unpriced_calls
FROM fact_agent_executions WHERE trace_id IN {traces:Array(String)}
"""
CALLS = """
SELECT trace_id, span_id, agent, model, input_tokens, output_tokens, cost_nano_usd
FROM llm_calls WHERE trace_id IN {traces:Array(String)}
"""
EDGES = """
SELECT trace_id, caller, callee_kind, callee, sum(calls), sum(errors), sum(duration_ns)
FROM agent_edges WHERE trace_id IN {traces:Array(String)} GROUP BY ALL
"""
numbers = count(100_000, 1_000)


@pytest.fixture(scope="module")
def admin(server: Server) -> Iterator[Warehouse]:
    """Provide the client that the finaliser works with."""
    client = server.client("admin")
    yield client
    client.close()


def _stored(server: Server, spans: Iterable[Span]) -> dict[str, dict[Any, Any]]:
    traces = sorted({span.trace_id for span in spans})

    def keyed(sql: str, key: int) -> dict[Any, Any]:
        rows = [tuple(row.values()) for row in server.client("reader").rows(sql, traces=traces)]
        found = {row[:key]: row[key:] for row in rows}
        assert len(found) == len(rows), "a row is there twice"
        return found

    return {"executions": keyed(EXECUTIONS, 2), "calls": keyed(CALLS, 2), "edges": keyed(EDGES, 4)}


@pytest.mark.parametrize("arrival", ARRIVALS)
def test_rows_are_exact(server: Server, admin: Warehouse, arrival: Arrival) -> None:
    """Executions, calls with their cost, and edges are those of the spans, however they came."""
    spans = invent(next(numbers), 40, seed=7)
    arrival(server, list(spans), lambda: finaliser.finalise(admin, NEVER))
    run = finaliser.finalise(admin, NEVER)
    assert run.caught_up
    assert _stored(server, spans) == truth(spans)
    assert finaliser.finalise(admin, NEVER).marks == 0
    assert _stored(server, spans) == truth(spans)


def test_a_run_that_dies_is_made_again(server: Server, admin: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever a run is cut off, the next one makes everything right, and no work table is left."""
    spans = invent(next(numbers), 10, seed=8)
    send(server, spans)
    execute = admin.execute
    for cut in count(0, 3):
        left = count()

        def dying(sql: str, _left: Iterator[int] = left, _cut: int = cut, **values: object) -> None:
            if not sql.startswith("DROP") and next(_left) == _cut:
                raise StatementError(0, "cut off")
            execute(sql, **values)

        monkeypatch.setattr(admin, "execute", dying)
        try:
            finaliser.finalise(admin, NEVER)
        except StatementError as error:
            assert error.problem == "cut off"  # noqa: PT017 -- the last round is not cut, and must not fail
        else:
            break
    assert cut > 20
    monkeypatch.undo()
    assert _stored(server, spans) == truth(spans)
    assert admin.rows("SELECT name FROM system.tables WHERE name LIKE 'run\\_%'") == []


def test_one_run_at_a_time(server: Server, admin: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a run is at work another is refused with a sentence; the lock of one that died is taken."""
    spans = invent(next(numbers), 2, seed=9)
    send(server, spans)
    admin.execute(workplace._LOCK)
    admin.execute(workplace._ALIVE)
    with pytest.raises(FinaliserBusyError, match="at work"):
        finaliser.finalise(admin, NEVER)
    monkeypatch.setattr(workplace, "DEAD_AFTER_SECONDS", 0)
    time.sleep(1.1)  # the engine's clock of a table has whole seconds
    finaliser.finalise(admin, NEVER)
    assert _stored(server, spans) == truth(spans)


def test_after_a_restart_the_last_minutes_are_done_again(new_server: Callable[..., Server]) -> None:
    """Rows that never reached the disk are written again once the engine has started, and an old lock is taken."""
    spans = invent(next(numbers), 3, seed=11)
    server = new_server().start()
    send(server, spans)
    finaliser.finalise(server.client("admin"), NEVER)
    for table in ("fact_agent_executions", "llm_calls", "trace_minutes"):
        server.sql(f"TRUNCATE TABLE spyglass.{table}")
    server.sql(workplace._LOCK)
    server.stop(signal.SIGKILL)
    server.start()
    finaliser.finalise(server.client("admin"), NEVER)
    assert _stored(server, spans) == truth(spans)
    # The engine tells its age in whole seconds: what is done in its first one is done once more.
    eventually(lambda: finaliser.finalise(server.client("admin"), NEVER), lambda made: made == runs.NOTHING, seconds=10)
    assert _stored(server, spans) == truth(spans)


def test_the_command_makes_runs_until_none_waits(server: Server) -> None:
    """`spyglass warehouse finalise --json` says what each run handled, and that it caught up."""
    spans = invent(next(numbers), 2, seed=10)
    send(server, spans)
    done = spyglass(server, "warehouse", "finalise", "--json")
    assert done.returncode == 0, done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    assert (last["traces"], last["spans"], last["caught_up"]) == (2, len(spans), True)
    assert _stored(server, spans) == truth(spans)


def test_an_agent_whose_span_never_comes_is_swept(server: Server, admin: Warehouse) -> None:
    """Spans that name an execution wait for its agent; after the silence it is closed, marked so, and later mended."""
    trace = next(numbers)
    agent = Span(trace, trace * 1000, None, "agent", "planner", 1_760_000_000 * 10**9, 10**9)
    call = Span(
        trace,
        agent.number + 1,
        agent.number,
        "llm",
        PRICED,
        agent.start_ns,
        10**6,
        tokens=(10, 1),
        named_execution=agent.number,
    )
    send(server, [call])
    finaliser.finalise(admin, NEVER)
    closed = "SELECT closed_by, llm_calls, status FROM fact_agent_executions WHERE trace_id = {t:String}"
    reader = server.client("reader")
    assert reader.rows(closed, t=agent.trace_id) == []
    finaliser.finalise(admin, -timedelta(seconds=60))
    assert reader.rows(closed, t=agent.trace_id) == [{"closed_by": "sweeper", "llm_calls": 1, "status": "unset"}]
    send(server, [agent])
    finaliser.finalise(admin, NEVER)
    assert reader.rows(closed, t=agent.trace_id) == [{"closed_by": "agent", "llm_calls": 1, "status": "ok"}]
    assert _stored(server, [agent, call]) == truth([agent, call])


def test_a_trace_without_agents_is_one_execution_of_its_service(server: Server, admin: Warehouse) -> None:
    """When nothing more comes, a trace in which no agent is becomes one execution, named after the service."""
    trace = next(numbers)
    root = Span(trace, trace * 1000, None, "task", "job", 1_760_000_000 * 10**9, 10**9)
    call = Span(trace, root.number + 1, root.number, "llm", PRICED, root.start_ns, 10**6, failed=True, tokens=(10, 1))
    send(server, [root, call])
    finaliser.finalise(admin, NEVER)
    finaliser.finalise(admin, -timedelta(seconds=60))
    (found,) = server.client("reader").rows(
        "SELECT execution_id, agent, spans, status, closed_by FROM fact_agent_executions WHERE trace_id = {t:String}",
        t=root.trace_id,
    )
    assert found == {
        "execution_id": root.trace_id,
        "agent": "shop",
        "spans": 2,
        "status": "error",
        "closed_by": "sweeper",
    }


def test_a_circle_of_parents_ends(server: Server, admin: Warehouse) -> None:
    """Spans that are each other's parents belong to no execution, and their calls still count."""
    trace = next(numbers)
    one = Span(trace, trace * 1000, trace * 1000 + 1, "task", "a", 1_760_000_000 * 10**9, 10**9)
    two = Span(trace, one.number + 1, one.number, "llm", PRICED, one.start_ns, 10**6, tokens=(10, 1))
    send(server, [one, two])
    finaliser.finalise(admin, NEVER)
    found = _stored(server, [one, two])
    assert (found["executions"], list(found["calls"].values())) == ({}, [("", PRICED, 10, 1, 10 * 2500 + 10_000)])
