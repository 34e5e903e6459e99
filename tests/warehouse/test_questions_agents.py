"""What the questions about agents, tools and errors answer is what plain Python finds in the spans."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from tests.warehouse.fleet import Fleet, Range, ns
from tests.warehouse.runs import Span
from tests.warehouse.truths import SECOND, between, grouped, only, resource_costs, total, use

HOURS = {count: timedelta(hours=count) for count in (1, 5, 24, 30, 300, 320)}
# Short ones by minute, long ones and old ones by hour.
RANGES = [
    Range(HOURS[24], unit="minute"),
    Range(HOURS[30], HOURS[5], unit="minute"),
    Range(HOURS[320], HOURS[300], unit="hour"),
    Range(HOURS[300], unit="hour"),
]
EXACT = Range(HOURS[300], HOURS[1])
PARTS = ("token", "cpu", "memory", "gpu")
Row = dict[str, Any]


def _by(rows: Iterable[Row], *names: str) -> dict[tuple[Any, ...], Row]:
    found = grouped(rows, lambda row: tuple(row[name] for name in names))
    assert all(len(same) == 1 for same in found.values()), "a row is there twice"
    return {key: same[0] for key, same in found.items()}


def _agent(span: Span) -> tuple[str, ...]:
    return span.organization, span.project, "shop", span.name


def _seconds(spans: Iterable[Span]) -> list[float]:
    return [span.duration_ns / SECOND for span in spans]


def _check_quantiles(row: Row, values: Sequence[float], names: Sequence[str]) -> None:
    for name in names:
        low, high = between(int(name[1:3]) / 100, values)
        assert low <= row[name] <= high, (name, row)


@pytest.mark.parametrize("span", RANGES)
def test_latency_by_agent(fleet: Fleet, span: Range) -> None:
    """Each agent's executions have their number, mean and longest exactly, and quantiles to two digits."""
    agents = grouped((each for each in fleet.during(span) if each.kind == "agent"), _agent)
    rows = _by(fleet.rows("latency_by_agent", span), "organization", "project", "service", "agent")
    assert rows.keys() == agents.keys()
    for key, row in rows.items():
        seconds = _seconds(agents[key])
        assert row["executions"] == len(seconds)
        assert (row["max_seconds"], row["mean_seconds"]) == pytest.approx((max(seconds), sum(seconds) / len(seconds)))
        _check_quantiles(row, seconds, ("p50_seconds", "p95_seconds", "p99_seconds"))


@pytest.mark.parametrize("span", RANGES)
def test_error_rate_by_agent(fleet: Fleet, span: Range) -> None:
    """Each agent's failed executions are counted, the worst agent first."""
    agents = grouped((each for each in fleet.during(span) if each.kind == "agent"), _agent)
    rows = fleet.rows("error_rate_by_agent", span)
    found = {key: row["errors"] for key, row in _by(rows, "organization", "project", "service", "agent").items()}
    assert found == {key: sum(each.failed for each in spans) for key, spans in agents.items()}
    ratios = [row["error_ratio"] for row in rows]
    assert ratios == sorted((row["errors"] / row["executions"] for row in rows), reverse=True)


@pytest.mark.parametrize("span", RANGES)
def test_queue_waits(fleet: Fleet, span: Range) -> None:
    """Quantiles are of the waits that are known; where none is, they are unknown and not 0."""
    agents = grouped((each for each in fleet.during(span) if each.kind == "agent"), _agent)
    rows = _by(fleet.rows("queue_waits", span), "organization", "project", "service", "agent")
    assert rows.keys() == agents.keys()
    for key, row in rows.items():
        waits = [each.queue_wait_seconds for each in agents[key] if each.queue_wait_seconds is not None]
        assert row["executions"] == len(agents[key])
        if waits:
            _check_quantiles(row, waits, ("p50_seconds", "p95_seconds", "p99_seconds"))
        else:
            assert (row["p50_seconds"], row["p95_seconds"], row["p99_seconds"]) == (None, None, None)


def test_some_queue_waits_are_unknown(fleet: Fleet) -> None:
    """The range of one trace has an agent that never says how long it waited."""
    rows = fleet.rows("queue_waits", Range(HOURS[320], HOURS[300]))
    rows += fleet.rows("queue_waits", Range(HOURS[30], HOURS[24]))
    assert {row["p50_seconds"] is None for row in rows} == {True, False}


@pytest.mark.parametrize("span", RANGES)
def test_slowest_tools(fleet: Fleet, span: Range) -> None:
    """Tools come with the slowest first, as many as the limit."""
    tools = grouped((s for s in fleet.during(span) if s.kind == "tool"), lambda s: (s.organization, s.project, s.name))
    rows = _by(fleet.rows("slowest_tools", span), "organization", "project", "tool")
    assert rows.keys() == tools.keys()
    for key, row in rows.items():
        seconds = _seconds(tools[key])
        assert (row["calls"], row["max_seconds"]) == (len(seconds), pytest.approx(max(seconds)))
        _check_quantiles(row, seconds, ("p50_seconds", "p95_seconds", "p99_seconds"))
    slowest = [row["p95_seconds"] for row in rows.values()]
    assert slowest == sorted(slowest, reverse=True)
    assert fleet.rows("slowest_tools", span, limit=1) == list(rows.values())[:1]


@pytest.mark.parametrize("span", RANGES)
def test_tool_reliability(fleet: Fleet, span: Range) -> None:
    """Failed calls are counted, and what they failed of is named, the most frequent first."""
    tools = grouped((s for s in fleet.during(span) if s.kind == "tool"), lambda s: (s.organization, s.project, s.name))
    rows = _by(fleet.rows("tool_reliability", span), "organization", "project", "tool")
    assert rows.keys() == tools.keys()
    for key, row in rows.items():
        seconds = _seconds(tools[key])
        errors = Counter(each.error_type for each in tools[key] if each.failed)
        types = sorted(errors, key=lambda name: (-errors[name], name))
        assert (row["calls"], row["errors"], row["error_types"]) == (len(seconds), errors.total(), types)
        assert row["error_ratio"] == pytest.approx(errors.total() / len(seconds))
        assert row["mean_seconds"] == pytest.approx(sum(seconds) / len(seconds))
        _check_quantiles(row, seconds, ("p95_seconds",))


def _edges(fleet: Fleet, spans: Iterable[Span]) -> dict[tuple[str, ...], list[Span]]:
    """Return the spans by (organization, project, caller, kind of callee, callee)."""
    found: dict[tuple[str, ...], list[Span]] = {}
    for span in spans:
        kind = {"agent": "agent", "tool": "tool"}.get(span.kind, "model" if span.is_call else "")
        caller = fleet.caller(span) if kind == "agent" else fleet.owner[span.number]
        if kind and caller:
            found.setdefault((span.organization, span.project, caller.name, kind, span.name), []).append(span)
    return found


def _edge(spans: Sequence[Span]) -> Row:
    seconds = _seconds(spans)
    used = use(spans)
    return {
        "calls": len(spans),
        "errors": sum(span.failed for span in spans),
        "mean_seconds": pytest.approx(sum(seconds) / len(seconds)),
        "max_seconds": pytest.approx(max(seconds)),
        **{name: used[name] for name in ("input_tokens", "output_tokens", "cost_nano_usd")},
    }


@pytest.mark.parametrize("span", RANGES)
def test_agent_edges(fleet: Fleet, span: Range) -> None:
    """Every caller and callee is there with its calls, errors, times, tokens and cost."""
    edges = _edges(fleet, fleet.during(span))
    rows = _by(fleet.rows("agent_edges", span), "organization", "project", "caller", "callee_kind", "callee")
    assert rows.keys() == edges.keys()
    for key, row in rows.items():
        expected = _edge(edges[key])
        assert only(row, expected) == expected
        _check_quantiles(row, _seconds(edges[key]), ("p95_seconds",))


@pytest.mark.parametrize("span", RANGES)
def test_agent_graph(fleet: Fleet, span: Range) -> None:
    """Nodes are what was called and who called; every edge leads from one of them to another."""
    spans = fleet.during(span)
    edges: dict[tuple[str, str], list[Span]] = {}
    for (_, _, caller, kind, callee), calls in _edges(fleet, spans).items():
        edges.setdefault((f"agent/{caller}", f"{kind}/{callee}"), []).extend(calls)
    rows = _by(fleet.rows("agent_graph_edges", span), "source", "target")
    assert {key: only(row, _edge(edges[key])) for key, row in rows.items()} == {k: _edge(s) for k, s in edges.items()}
    nodes = _by(fleet.rows("agent_graph_nodes", span), "id")
    assert {(end,) for edge in edges for end in edge} <= nodes.keys()
    called = {"agent": "agent", "tool": "tool", "llm": "model", "embedding": "model"}
    received = grouped((each for each in spans if each.kind in called), lambda each: f"{called[each.kind]}/{each.name}")
    # an agent whose execution began before the range is there too, with what it did in the range
    assert {name for (name,), row in nodes.items() if row["calls"]} == received.keys()
    for name, calls in received.items():
        row = nodes[name,]
        made = [s for s in spans if s.is_call and fleet.owner[s.number].name == row["name"]]
        used = use(made if row["kind"] == "agent" else calls)
        assert (row["calls"], row["errors"]) == (len(calls), sum(each.failed for each in calls))
        assert row["mean_seconds"] == pytest.approx(sum(_seconds(calls)) / len(calls))
        assert [row[key] for key in ("input_tokens", "cost_nano_usd")] == [
            used[key] for key in ("input_tokens", "cost_nano_usd")
        ]


@pytest.mark.parametrize("span", RANGES)
def test_error_breakdown(fleet: Fleet, span: Range) -> None:
    """Errors are counted by what they are, where they happen, and as a share of all calls there."""

    def place(each: Span) -> tuple[str, ...]:
        return each.organization, each.project, fleet.owner[each.number].name, each.kind

    spans = fleet.during(span)
    everything = Counter(place(each) for each in spans)
    errors = grouped((each for each in spans if each.failed), lambda each: (*place(each), each.error_type))
    rows = _by(
        fleet.rows("error_breakdown", span, limit=10_000), "organization", "project", "agent", "kind", "error_type"
    )
    assert {key: row["errors"] for key, row in rows.items()} == {key: len(found) for key, found in errors.items()}
    floor = {"minute": 60, "hour": 3600}[span.unit]
    for key, row in rows.items():
        assert row["error_ratio"] == pytest.approx(len(errors[key]) / everything[key[:-1]])
        last = max(each.start_ns for each in errors[key]) // SECOND // floor * floor
        assert ns(row["last_at"]) // SECOND == last


def _executions(fleet: Fleet, span: Range) -> dict[tuple[str, ...], list[Span]]:
    return grouped((each for each in fleet.during(span) if each.kind == "agent"), _agent)


def test_slowest_agents(fleet: Fleet) -> None:
    """Each agent's times are exact, with those of its own models and tools, and the slowest trace is named."""
    agents = _executions(fleet, EXACT)
    rows = _by(fleet.rows("slowest_agents", EXACT), "organization", "project", "service", "agent")
    assert rows.keys() == agents.keys()
    for key, row in rows.items():
        runs = agents[key]
        own = [each for run in runs for each in fleet.own[run.number]]
        waits = [run.queue_wait_seconds for run in runs if run.queue_wait_seconds is not None]
        assert row["executions"] == len(runs)
        assert row["max_seconds"] == pytest.approx(max(_seconds(runs)))
        assert row["mean_model_seconds"] == pytest.approx(sum(_seconds(s for s in own if s.is_call)) / len(runs))
        assert row["mean_tool_seconds"] == pytest.approx(sum(_seconds(s for s in own if s.kind == "tool")) / len(runs))
        assert row["mean_queue_wait_seconds"] == (pytest.approx(sum(waits) / len(waits)) if waits else None)
        assert row["slowest_trace_id"] == max(runs, key=lambda run: run.duration_ns).trace_id
        ordered = sorted(_seconds(runs))
        assert row["p50_seconds"] == pytest.approx((ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2)


def test_executions_by_agent(fleet: Fleet) -> None:
    """Each agent's executions come with their own calls, tokens and the four parts of their cost."""
    agents = _executions(fleet, EXACT)
    rows = _by(fleet.rows("executions_by_agent", EXACT), "organization", "project", "service", "agent")
    assert rows.keys() == agents.keys()
    for key, row in rows.items():
        own = [each for run in agents[key] for each in fleet.own[run.number]]
        calls = [each for each in own if each.is_call]
        expected = use(calls) | resource_costs(agents[key])
        expected["token_cost_nano_usd"] = expected.pop("cost_nano_usd")
        expected["total_cost_nano_usd"] = total(expected[f"{part}_cost_nano_usd"] for part in PARTS)
        expected |= {"executions": len(agents[key]), "errors": sum(run.failed for run in agents[key])}
        expected |= {"model_calls": len(calls), "tool_calls": sum(each.kind == "tool" for each in own)}
        assert only(row, expected) == expected
        assert row["never_ended"] == 0
        assert abs(ns(row["last_started_at"]) - max(run.start_ns for run in agents[key])) <= 10**6
