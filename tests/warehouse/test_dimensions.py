"""The dimensions name everything that the spans name, since when and until when, and nothing else."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

import pytest

from tests.warehouse.fleet import Fleet
from tests.warehouse.runs import AGENTS, CHEAP, FRAMEWORK, PRICED, PRICES, UNPRICED, VERSION, Span
from tests.warehouse.truths import Row, agents_of, calls_of, check, grouped, hour

WHOSE = ("organization", "project")
NAMES = {
    "dim_organization": ("organization",),
    "dim_project": WHOSE,
    "dim_user": (*WHOSE, "user_id"),
    "dim_tool": (*WHOSE, "tool"),
}
SERVICE = "shop"


def named(span: Span, column: str) -> str:
    """Return what a span says of a column; empty: nothing."""
    known = {"user_id": span.user, "tool": span.name if span.kind == "tool" else ""}
    return known[column] if column in known else str(getattr(span, column))


def seen(spans: list[Span]) -> Row:
    """Return the hours of the first and the last of these spans."""
    hours = [hour(span) for span in spans]
    return {"first_seen": min(hours), "last_seen": max(hours)}


def rows(fleet: Fleet, table: str) -> list[Row]:
    """Return all rows of a table as the reader gets them, times in whole hours."""
    found = fleet.reader.rows(f"SELECT * FROM {table}")
    return [{name: _floor(value) for name, value in row.items()} for row in found]


def _floor(value: object) -> object:
    return value.replace(minute=0, second=0, microsecond=0, tzinfo=None) if isinstance(value, datetime) else value


@pytest.mark.parametrize("table", NAMES)
def test_what_there_is(fleet: Fleet, table: str) -> None:
    """Tools, users, projects and organizations come with the hours in which they were seen first and last."""
    groups = grouped(fleet.spans, lambda span: tuple(named(span, column) for column in NAMES[table]))
    expected = {key: seen(spans) for key, spans in groups.items() if all(key)}
    demo = {"demo": True}
    check(
        rows(fleet, table),
        NAMES[table],
        {key: row | (demo if key[0] == "demo" else {}) for key, row in expected.items()},
    )


def test_agents(fleet: Fleet) -> None:
    """An agent has a key that follows from its names, the framework of its spans, and when it ran."""
    groups = grouped(agents_of(fleet.spans), lambda span: (span.organization, span.project, SERVICE, span.name))
    expected = {
        key: seen(spans)
        | {"agent_key": sha256("\0".join(key).encode()).hexdigest()[:16]}
        | {
            "framework": FRAMEWORK if key[-1] == AGENTS[0] else "",
            "framework_version": VERSION if key[-1] == AGENTS[0] else "",
        }
        for key, spans in groups.items()
    }
    check(rows(fleet, "dim_agent"), ("organization", "project", "service", "agent"), expected)


def test_models(fleet: Fleet) -> None:
    """A model has its prices for a million tokens, and none where nobody knows them."""
    groups = grouped(calls_of(fleet.spans), lambda span: (span.name,))
    names = [f"{name}_nano_usd_per_million_tokens" for name in ("input", "cache_read", "output")]
    expected = {
        key: seen(spans)
        | dict(zip(names, [each * 10**6 for each in PRICES[key[0]]] if key[0] in PRICES else [None] * 3, strict=True))
        for key, spans in groups.items()
    }
    assert {key for (key,) in expected} == {PRICED, CHEAP, UNPRICED}
    check(rows(fleet, "dim_model"), ("model",), expected)


def test_days_and_hours(fleet: Fleet) -> None:
    """The keys of an execution lead to its day and its hour."""
    statement = """
    SELECT date, label, formatDateTime(started_at, '%H:00') AS expected_label, toDate(started_at) AS expected_date
    FROM fact_agent_executions AS f
    INNER JOIN dim_date AS d ON d.date_key = f.date_key
    INNER JOIN dim_hour AS h ON h.hour_key = f.hour_key"""
    found = fleet.reader.rows(statement)
    assert len(found) == len(agents_of(fleet.spans))
    assert [row for row in found if row["date"] != row["expected_date"] or row["label"] != row["expected_label"]] == []
