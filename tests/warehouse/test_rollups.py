"""Totals by minute and hour are those of the spans, however they came; reconciling finds and mends what is not."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from spyglass.warehouse import finaliser
from spyglass.warehouse.client import Warehouse
from spyglass.warehouse.finaliser import reconcile, runs
from tests.warehouse.arrivals import ARRIVALS, Arrival, send
from tests.warehouse.command import spyglass
from tests.warehouse.runs import Span, invent, truth
from tests.warehouse.wire import Server

NEVER = timedelta(days=1)
KEPT = timedelta(days=90)
HOUR = timedelta(hours=1)
# Long enough ago that its hours are closed.
AGO_NS = 3 * 3600 * 10**9
CALLS = """
SELECT toStartOfInterval(time, INTERVAL {seconds:UInt32} SECOND) AS t, agent, kind, model, status, sum(calls),
    sum(duration_ns), max(longest_ns), sum(input_tokens), sum(output_tokens), sum(cost_nano_usd), sum(unpriced_calls)
FROM $table WHERE organization = {organization:String} GROUP BY ALL
"""
EDGES = """
SELECT caller, callee_kind, callee, sum(calls), sum(errors), sum(duration_ns), max(longest_ns), sum(cost_nano_usd)
FROM $table WHERE organization = {organization:String} GROUP BY ALL
"""
TOOLS = "SELECT tool, sum(calls), sum(duration_ns) FROM $table WHERE organization = {organization:String} GROUP BY ALL"
USERS = """
SELECT model, sum(executions), sum(calls), sum(errors), sum(input_tokens) FROM $table
WHERE organization = {organization:String} GROUP BY ALL
"""
QUANTILES = """
SELECT
    (
        SELECT quantilesBFloat16Merge(0.5, 0.95, 0.99)(duration_quantiles) FROM $table
        WHERE organization = {organization:String}
    ) AS totals,
    (
        SELECT quantilesBFloat16(0.5, 0.95, 0.99)(duration_ns) FROM
        (SELECT argMax(duration_ns, ingested_at) AS duration_ns FROM spans
            WHERE organization = {organization:String} GROUP BY trace_id, span_id)
    ) AS spans
"""
numbers = count(50_000_000, 1_000)


@pytest.fixture(scope="module")
def admin(own_server: Server) -> Iterator[Warehouse]:
    """Provide the client that the finaliser works with."""
    client = own_server.client("admin")
    yield client
    client.close()


def _spans(traces: int, organization: str) -> list[Span]:
    invented = invent(next(numbers), traces, seed=21)
    return [replace(span, start_ns=span.start_ns - AGO_NS, organization=organization) for span in invented]


def _keyed(server: Server, sql: str, table: str, key: int, organization: str, **values: Any) -> dict[Any, Any]:
    text = sql.replace("$table", table)
    rows = [tuple(row.values()) for row in server.client("reader").rows(text, organization=organization, **values)]
    return {row[:key]: row[key:] for row in rows}


def _add(*values: int | None) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _expected_calls(spans: list[Span], seconds: int) -> dict[Any, Any]:
    names = {(call[0], call[1]): call[2] for call in _agents(spans)}
    found: dict[Any, list[Any]] = defaultdict(lambda: [0, 0, 0, None, None, None, 0])
    for span in spans:
        start = datetime.fromtimestamp(span.start_ns // 10**9 // seconds * seconds, UTC).replace(tzinfo=None)
        is_call = span.kind in ("llm", "embedding")
        key = (
            start,
            names[span.trace_id, span.number],
            span.kind,
            span.name if is_call else "",
            "error" if span.failed else "ok",
        )
        row = found[key]
        tokens = span.tokens if is_call else None
        row[0] += 1
        row[1] += span.duration_ns
        row[2] = max(row[2], span.duration_ns)
        row[3] = _add(row[3], tokens and tokens[0])
        row[4] = _add(row[4], tokens and tokens[1])
        row[5] = _add(row[5], span.cost if is_call else None)
        row[6] += is_call and tokens is not None and span.cost is None
    return {key: tuple(row) for key, row in found.items()}


def _agents(spans: list[Span]) -> Iterator[tuple[str, int, str]]:
    """Yield trace, span number and the name of the nearest agent at or above."""
    by_number = {span.number: span for span in spans}
    for span in spans:
        at: Span | None = span
        while at is not None and at.kind != "agent":
            at = by_number.get(at.parent) if at.parent is not None else None
        yield span.trace_id, span.number, at.name if at else ""


def _expected_edges(spans: list[Span]) -> dict[Any, Any]:
    costs: dict[Any, int | None] = defaultdict(lambda: None)
    longest: dict[Any, int] = defaultdict(int)
    names = {(trace, number): agent for trace, number, agent in _agents(spans)}
    for span in spans:
        kind = {"agent": "agent", "tool": "tool"}.get(span.kind, "model" if span.kind in ("llm", "embedding") else "")
        above = span.parent if kind == "agent" else span.number
        if kind and above is not None:
            key = (names[span.trace_id, above], kind, span.name)
            longest[key] = max(longest[key], span.duration_ns)
            costs[key] = _add(costs[key], span.cost if kind == "model" else None)
    edges: dict[Any, list[int]] = defaultdict(lambda: [0, 0, 0])
    for (_, *key), values in truth(spans)["edges"].items():
        edges[tuple(key)] = [one + other for one, other in zip(edges[tuple(key)], values, strict=True)]
    return {key: (*values, longest[key], costs[key]) for key, values in edges.items()}


def _check(server: Server, spans: list[Span], organization: str) -> None:
    calls, tools, edges = (
        _expected_calls(spans, 60),
        [span for span in spans if span.kind == "tool"],
        _expected_edges(spans),
    )
    by_hour = _expected_calls(spans, 3600)
    assert _keyed(server, CALLS, "rollup_calls_minute", 5, organization, seconds=60) == calls
    users = {
        model: (
            sum(span.kind == "agent" for span in spans) if not model else 0,
            sum(_model(span) == model for span in spans) if model else 0,
            sum(span.failed for span in spans if _counts_for_users(span) and _model(span) == model),
            _add(*(span.tokens and span.tokens[0] for span in spans if model and _model(span) == model)),
        )
        for model in {_model(span) for span in spans if _counts_for_users(span)}
    }
    for table in ("minute", "hour", ""):
        name = f"_{table}" if table else ""
        assert _keyed(server, CALLS, f"rollup_calls{name}", 5, organization, seconds=3600) == by_hour, table
        assert _keyed(server, EDGES, f"rollup_edges{name}", 3, organization) == edges, table
        assert _keyed(server, TOOLS, f"rollup_tools{name}", 1, organization) == {
            (tool,): (
                sum(span.name == tool for span in tools),
                sum(span.duration_ns for span in tools if span.name == tool),
            )
            for tool in {span.name for span in tools}
        }
        assert _keyed(server, USERS, f"rollup_users{name}", 1, organization) == {(k,): v for k, v in users.items()}
        (row,) = server.client("reader").rows(
            QUANTILES.replace("$table", f"rollup_calls{name}"), organization=organization
        )
        assert row["totals"] == row["spans"]


def _counts_for_users(span: Span) -> bool:
    return span.kind in ("agent", "llm", "embedding")


def _model(span: Span) -> str:
    return span.name if span.kind in ("llm", "embedding") else ""


@pytest.mark.parametrize("arrival", ARRIVALS)
def test_totals_are_exact(own_server: Server, admin: Warehouse, arrival: Arrival) -> None:
    """Totals by minute, by hour and of all time are those of the spans, however they came."""
    organization = f"org-{arrival.__name__}"
    spans = _spans(12, organization)
    arrival(own_server, list(spans), lambda: finaliser.finalise(admin, NEVER))
    finaliser.finalise(admin, NEVER)
    _check(own_server, spans, organization)


def test_the_open_hour_is_in_the_minutes(own_server: Server, admin: Warehouse) -> None:
    """What was just done has no total by hour yet, and the view of all time has it all the same."""
    now = time.time_ns() // 10**9 * 10**9
    spans = [replace(span, start_ns=now, organization="now") for span in _spans(2, "now")]
    send(own_server, spans)
    finaliser.finalise(admin, NEVER)
    assert _keyed(own_server, TOOLS, "rollup_tools_hour", 1, "now") == {}
    assert _keyed(own_server, CALLS, "rollup_calls", 5, "now", seconds=3600) == _expected_calls(spans, 3600)


def _range() -> reconcile.Range:
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    return reconcile.Range(now - timedelta(hours=6), now + HOUR)


def _differences(admin: Warehouse) -> list[reconcile.Difference]:
    return list(reconcile.differences(admin, _range(), NEVER, KEPT))


WRONG = {
    "an execution that nobody made": "INSERT INTO fact_agent_executions (organization, started_at, trace_id, "
    "execution_id, version) SELECT organization, started_at, trace_id, 'ghost', version "
    "FROM fact_agent_executions FINAL LIMIT 1",
    "a call with another cost": "INSERT INTO llm_calls SELECT * REPLACE (cost_nano_usd + 1 AS cost_nano_usd, "
    "version + 1 AS version) FROM llm_calls FINAL WHERE cost_nano_usd > 0 LIMIT 1",
    "a lost minute of a trace": "INSERT INTO trace_minutes SELECT * REPLACE (1 AS is_deleted, version + 1 AS version) "
    "FROM trace_minutes FINAL LIMIT 1",
    "a total by minute": "INSERT INTO rollup_calls_minute SELECT * REPLACE (calls + 1 AS calls, "
    "version + 1 AS version) FROM rollup_calls_minute FINAL WHERE organization LIKE 'org-%' LIMIT 1",
    "a total by hour": "INSERT INTO rollup_users_hour SELECT * REPLACE (1 AS is_deleted, version + 1 AS version) "
    "FROM rollup_users_hour FINAL LIMIT 1",
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_is_found_and_mended(own_server: Server, admin: Warehouse, wrong: str) -> None:
    """Of right rows reconciling says nothing; each wrong one it names, and mends."""
    send(own_server, _spans(3, f"org-{next(numbers)}"))
    finaliser.finalise(admin, NEVER)
    assert _differences(admin) == []
    admin.execute(WRONG[wrong].replace("INTO ", "INTO spyglass.").replace("FROM ", "FROM spyglass."))
    found = _differences(admin)
    assert found
    reconcile.repair(admin, found)
    finaliser.finalise(admin, NEVER)
    assert _differences(admin) == []


def test_a_column_of_fewer_digits_is_no_difference(own_server: Server, admin: Warehouse) -> None:
    """Seconds that spans hold with more digits than calls do are compared with the digits of the calls."""
    spans = [replace(span, first_token_seconds=0.129508) for span in invent(next(numbers), 1, seed=3)]
    send(own_server, spans)
    finaliser.finalise(admin, NEVER)
    assert any(span.is_call for span in spans)
    assert _differences(admin) == []


def test_spans_that_nobody_handled_are_found(own_server: Server, admin: Warehouse) -> None:
    """A trace of which the marks are lost is found by its spans, and handled."""
    spans = _spans(1, "lost")
    send(own_server, spans)
    admin.execute(
        "INSERT INTO spyglass.clean_marks (marked_at, mark) SELECT marked_at, mark FROM spyglass.dirty_traces "
        "WHERE trace_id = {trace:String}",
        trace=spans[0].trace_id,
    )
    finaliser.finalise(admin, NEVER)
    found = _differences(admin)
    assert ("trace_index", (spans[0].trace_id,), len(spans), 0) in found
    reconcile.repair(admin, found)
    finaliser.finalise(admin, NEVER)
    assert _differences(admin) == []


def test_the_command(own_server: Server, admin: Warehouse) -> None:
    """`spyglass warehouse reconcile` ends with 1 where something differs, with 0 once it is repaired."""
    send(own_server, _spans(2, "command"))
    finaliser.finalise(admin, NEVER)
    assert spyglass(own_server, "warehouse", "reconcile").returncode == 0
    admin.execute(
        WRONG["a call with another cost"].replace("INTO ", "INTO spyglass.").replace("FROM ", "FROM spyglass.")
    )
    done = spyglass(own_server, "warehouse", "reconcile", "--json")
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout.splitlines()[0])["table"] == "llm_calls"
    repaired = spyglass(own_server, "warehouse", "reconcile", "--repair")
    assert repaired.returncode == 0, repaired.stderr
    assert spyglass(own_server, "warehouse", "reconcile").returncode == 0
    refused = spyglass(own_server, "warehouse", "reconcile", "--from", "tomorrow-ish")
    assert refused.returncode == 2
    assert "tomorrow-ish" in refused.stderr


def test_yesterday_is_compared_once(own_server: Server, admin: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """At night what differs of yesterday is mended and noted, once."""
    monkeypatch.setattr(runs, "HOUR_OPEN", timedelta(0))
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
    spans = [replace(span, start_ns=int(noon.timestamp()) * 10**9) for span in _spans(2, "yesterday")]
    send(own_server, spans)
    finaliser.finalise(admin, NEVER)
    admin.execute(
        "INSERT INTO spyglass.trace_minutes SELECT * REPLACE (1 AS is_deleted, version + 1 AS version) "
        "FROM spyglass.trace_minutes FINAL WHERE organization = 'yesterday' LIMIT 1"
    )
    found = reconcile.nightly(admin, NEVER, KEPT)
    assert found
    assert reconcile.nightly(admin, NEVER, KEPT) is None
    (noted,) = admin.rows("SELECT differences, tables FROM spyglass.reconciliations")
    assert noted == {"differences": len(found), "tables": sorted({item.table for item in found})}
    finaliser.finalise(admin, NEVER)
    assert _keyed(own_server, CALLS, "rollup_calls_hour", 5, "yesterday", seconds=3600) == _expected_calls(spans, 3600)
