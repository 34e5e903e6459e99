"""What the questions about cost, models and users answer is what plain Python finds in the spans."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.warehouse.fleet import DAY, Fleet, Range
from tests.warehouse.runs import Span
from tests.warehouse.truths import (
    SECOND,
    agents_of,
    calls_of,
    check,
    coverage,
    grouped,
    groups,
    hour,
    input_tokens,
    only,
    output_tokens,
    resource_costs,
    total,
    use,
)

LONG = Range(timedelta(days=12), unit="hour")
MIDDLE = Range(timedelta(hours=80), timedelta(hours=3), unit="hour")
EXACT = Range(timedelta(days=12), timedelta(hours=1))
PARTS = ("token", "cpu", "memory", "gpu")
Row = dict[str, Any]


def _day(span: Span) -> Any:
    return datetime.fromtimestamp(span.start_ns // SECOND, UTC).date()


def _four(calls: Iterable[Span], agents: Iterable[Span]) -> Row:
    """Return the four parts of the cost and their sum."""
    parts = {"token_cost_nano_usd": total(call.cost for call in calls)} | resource_costs(agents)
    return parts | {"total_cost_nano_usd": total(parts.values())}


@pytest.mark.parametrize("span", [LONG, MIDDLE])
def test_cost_by_model(fleet: Fleet, span: Range) -> None:
    """Every model and hour has its calls, tokens and cost, and what these lack."""

    def key(each: Span) -> tuple[Any, ...]:
        return hour(each), "openai", each.name

    found = groups(calls_of(fleet.during(span)), key)
    expected = {at: {"calls": len(calls)} | use(calls) for at, calls in found}
    check(fleet.rows("cost_by_model", span), ("time", "provider", "model"), expected)


def test_top_runs(fleet: Fleet) -> None:
    """The most expensive traces come first, each with all that its executions cost."""
    agents = agents_of(fleet.during(EXACT))
    expected: dict[tuple[Any, ...], Row] = {}
    for trace, runs in grouped(agents, lambda each: each.trace_id).items():
        calls = calls_of(each for run in runs for each in fleet.own[run.number])
        expected[(trace,)] = _four(calls, runs) | {
            "organization": runs[0].organization,
            "project": runs[0].project,
            "agents": sorted({run.name for run in runs}),
            "executions": len(runs),
            "errors": sum(run.failed for run in runs),
            "input_tokens": input_tokens(calls),
            "output_tokens": output_tokens(calls),
            "unpriced_calls": use(calls)["unpriced_calls"],
            "duration_seconds": pytest.approx((max(r.end_ns for r in runs) - min(r.start_ns for r in runs)) / SECOND),
        }
    rows = fleet.rows("top_runs", EXACT, limit=1000)
    check(rows, ("trace_id",), expected)
    costs = [row["total_cost_nano_usd"] for row in rows]
    assert costs == sorted(costs, key=lambda cost: -1 if cost is None else cost, reverse=True)
    assert fleet.rows("top_runs", EXACT, limit=3) == rows[:3]


def _totals(spans: Sequence[Span]) -> Row:
    agents, calls = agents_of(spans), calls_of(spans)
    return {
        "runs": len({agent.trace_id for agent in agents}),
        "executions": len(agents),
        "errors": sum(agent.failed for agent in agents),
        "success_ratio": pytest.approx(1 - sum(agent.failed for agent in agents) / len(agents)),
        "model_calls": len(calls),
        **coverage(calls),
    }


@pytest.mark.parametrize("organization", ["", "acme", "demo"])
def test_executive_totals(fleet: Fleet, organization: str) -> None:
    """All that happened is counted, of one organization or of all; demo data only where it is asked for."""
    spans = fleet.during(LONG, organization)
    users = {span.user for span in spans if span.user}
    expected = _totals(spans) | use(calls_of(spans)) | {"users": len(users)}
    (row,) = fleet.rows("executive_totals", LONG, organization=organization)
    assert only(row, expected) == expected


def test_one_project(fleet: Fleet) -> None:
    """A project is a filter as an organization is."""
    spans = [span for span in fleet.during(LONG) if span.project == "batch"]
    (row,) = fleet.rows("executive_totals", LONG, project="batch")
    assert (row["executions"], row["cost_nano_usd"]) == (len(agents_of(spans)), use(calls_of(spans))["cost_nano_usd"])


def test_executive_summary(fleet: Fleet) -> None:
    """Each organization has its runs, success, and the four parts of its cost with what they cover."""
    expected = {}
    for key, spans in groups(fleet.during(EXACT), lambda each: (each.organization,)):
        agents, calls = agents_of(spans), calls_of(spans)
        metered = sum(agent.used is not None for agent in agents) / len(agents)
        used = use(calls)
        del used["cost_nano_usd"]
        expected[key] = _totals(spans) | used | _four(calls, agents)
        expected[key]["metered_execution_ratio"] = pytest.approx(metered)
    check(fleet.rows("executive_summary", EXACT), ("organization",), expected)


def test_tokens_by_user(fleet: Fleet) -> None:
    """Users come with their tokens, the biggest first; calls without a user are there too."""
    found = groups(calls_of(fleet.during(LONG)), lambda each: (each.organization, each.project, each.user))
    expected = {key: {"calls": len(calls)} | use(calls) for key, calls in found}
    for row in expected.values():
        del row["calls_without_usage"]
    rows = fleet.rows("tokens_by_user", LONG)
    check(rows, ("organization", "project", "user_id"), expected)
    tokens = [(row["input_tokens"] or 0) + (row["output_tokens"] or 0) for row in rows]
    assert tokens == sorted(tokens, reverse=True)
    assert any(row["user_id"] == "" for row in rows)


def test_user_spend(fleet: Fleet) -> None:
    """Users come with their cost, their share of it, and their models in the order of cost."""
    spans = fleet.during(LONG)
    everything = use(calls_of(spans))["cost_nano_usd"]
    expected = {}
    for key, own in groups(spans, lambda each: (each.organization, each.project, each.user)):
        calls = calls_of(own)
        used = use(calls)
        del used["calls_without_usage"]
        costs = {name: total(c.cost for c in same) or 0 for name, same in grouped(calls, lambda c: c.name).items()}
        expected[key] = used | {
            "executions": len(agents_of(own)),
            "calls": len(calls),
            "cost_ratio": None if used["cost_nano_usd"] is None else pytest.approx(used["cost_nano_usd"] / everything),
            "models": sorted(costs, key=lambda name: (-costs[name], name)),
        }
    check(fleet.rows("user_spend", LONG), ("organization", "project", "user_id"), expected)


def test_project_spend(fleet: Fleet) -> None:
    """Projects come with the four parts of their cost."""
    expected = {}
    for key, spans in groups(fleet.during(LONG), lambda each: (each.organization, each.project)):
        agents, calls = agents_of(spans), calls_of(spans)
        used = use(calls)
        del used["cost_nano_usd"]
        counts = {"executions": len(agents), "model_calls": len(calls)}
        expected[key] = counts | used | coverage(calls) | _four(calls, agents)
    check(fleet.rows("project_spend", LONG), ("organization", "project"), expected)


def test_cost_trend(fleet: Fleet) -> None:
    """Each day with spans has a row with the four parts of its cost."""
    expected = {}
    for key, spans in groups(fleet.during(LONG), lambda each: (_day(each),)):
        agents, calls = agents_of(spans), calls_of(spans)
        used = use(calls)
        del used["cost_nano_usd"], used["input_tokens"], used["output_tokens"]
        expected[key] = {"executions": len(agents), "model_calls": len(calls)} | used | _four(calls, agents)
    check(fleet.rows("cost_trend", LONG), ("date",), expected)


def test_cost_forecast_inputs(fleet: Fleet) -> None:
    """Every whole day of the range has a row; one on which nothing happened cost 0, not nothing known."""
    rows = fleet.rows("cost_forecast_inputs", LONG)
    first = (fleet.now - LONG.since).date() + DAY
    days = [first + at * DAY for at in range((fleet.now.date() - first).days)]
    assert [row["date"] for row in rows] == days
    by_day = grouped((s for s in fleet.spans if s.organization != "demo"), _day)
    for row in rows:
        agents, calls = agents_of(by_day.get(row["date"], [])), calls_of(by_day.get(row["date"], []))
        used = use(calls)
        expected = {
            "day_of_week": row["date"].isoweekday(),
            "executions": len(agents),
            "model_calls": len(calls),
            "users": len({each.user for each in [*agents, *calls]} - {""}),
            "input_tokens": used["input_tokens"] if calls else 0,
            "cost_nano_usd": _four(calls, agents)["total_cost_nano_usd"] if calls else 0,
            "gap_calls": used["unpriced_calls"] + used["calls_without_usage"],
        }
        assert only(row, expected) == expected
    assert any(row["model_calls"] == 0 for row in rows)
    assert any(row["cost_nano_usd"] for row in rows)


def test_token_efficiency(fleet: Fleet) -> None:
    """Everything that an agent used is divided by its successes; what failed executions used is named."""
    expected = {}
    found = groups(agents_of(fleet.during(EXACT)), lambda each: (each.organization, each.project, each.name))
    for key, agents in found:
        own = {agent.number: calls_of(fleet.own[agent.number]) for agent in agents}
        calls = [call for same in own.values() for call in same]
        wasted = [agent for agent in agents if agent.failed]
        wasted_calls = [call for agent in wasted for call in own[agent.number]]
        successes = len(agents) - len(wasted)
        cost = _four(calls, agents)["total_cost_nano_usd"]
        tokens = total(call.tokens and sum(call.tokens) for call in calls)
        expected[key] = use(calls) | {
            "executions": len(agents),
            "successes": successes,
            "cost_nano_usd": cost,
            "tokens_per_success": pytest.approx(tokens / successes) if tokens is not None and successes else None,
            "cost_per_success_nano_usd": round(cost / successes) if cost is not None and successes else None,
            "wasted_tokens": total(call.tokens and sum(call.tokens) for call in wasted_calls),
            "wasted_cost_nano_usd": _four(wasted_calls, wasted)["total_cost_nano_usd"],
        }
    check(fleet.rows("token_efficiency", EXACT), ("organization", "project", "agent"), expected)
