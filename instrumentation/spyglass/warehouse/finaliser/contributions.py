"""Write what replaces earlier rows: the new ones and, in the same insert, the deletion of those that are no more.

Both have the version of the run, deletions one less; so a row that is written again stays, and nobody ever sees a table
in between.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from spyglass.assets import folder
from spyglass.warehouse import connection
from spyglass.warehouse.client import Warehouse


class Target(NamedTuple):
    """Name a table, the statement that makes its rows, and which rows of it are written anew."""

    table: str
    select: str
    replaced: str


_OF_TRACES = """
trace_id IN (SELECT trace_id FROM spyglass.$run_traces)
AND {time} >= (SELECT toStartOfMinute(toDateTime(min(first), 'UTC')) FROM spyglass.$run_traces)
AND {time} <= (SELECT max(last) FROM spyglass.$run_traces)
"""
_DIRTY = """
(organization, project, {time}) IN (SELECT organization, project, time FROM spyglass.$run_dirty_{unit}s)
AND {minute} >= (SELECT min(time) FROM spyglass.$run_dirty_{unit}s)
AND {minute} < (SELECT max(time) + INTERVAL 1 HOUR FROM spyglass.$run_dirty_{unit}s)
"""
# Whole minutes or hours.
_RANGE = "{minute} >= {{first:DateTime('UTC')}} AND {minute} < {{until:DateTime('UTC')}}"
TRACES = (
    Target("fact_agent_executions", "SELECT * FROM spyglass.$run_executions", _OF_TRACES.format(time="started_at")),
    Target("llm_calls", "", _OF_TRACES.format(time="started_at")),
    Target("trace_minutes", "", _OF_TRACES.format(time="minute")),
)
UNITS = ("minute", "hour")
_ROLLUPS = ("calls", "tools", "users", "edges")
_WRITE = """
INSERT INTO spyglass.$table ($columns)
SELECT $columns FROM
(
    SELECT *, {version:UInt64} + 1 AS version, 0::UInt8 AS is_deleted FROM
    (
$select
    )
)
UNION ALL
SELECT $deleted FROM spyglass.$table AS old WHERE $replaced AND NOT old.is_deleted
"""


def touched(unit: str) -> tuple[Target, ...]:
    """Return the totals by ``minute`` or ``hour``, of the times in the run's dirty_minutes or dirty_hours."""
    return _rollups(unit, _DIRTY)


def within(unit: str) -> tuple[Target, ...]:
    """Return the totals by ``minute`` or ``hour``, of the times from the parameter ``first`` until before ``until``."""
    return _rollups(unit, _RANGE)


def _rollups(unit: str, condition: str) -> tuple[Target, ...]:
    time = {"minute": "minute", "hour": "toStartOfHour(minute)"}[unit]
    source = condition.format(time=time, minute="minute", unit=unit)
    return tuple(
        Target(
            f"rollup_{name}_{unit}",
            text(f"rollup_{name}").replace("$time", time).replace("$dirty", source),
            condition.format(time="time", minute="time", unit=unit),
        )
        for name in _ROLLUPS
    )


def statement(warehouse: Warehouse, target: Target) -> str:
    """Return the insert; it takes the parameter ``version``."""
    names = _columns(warehouse, target.table)
    marked = {"version": "{version:UInt64} AS version", "is_deleted": "1 AS is_deleted"}
    parts = {
        "$select": target.select or text(target.table),
        "$deleted": ", ".join(marked.get(name, name) for name in names),
        "$columns": ", ".join(names),
        "$replaced": target.replaced,
        "$table": target.table,
    }
    sql = _WRITE
    for name, part in parts.items():
        sql = sql.replace(name, part)
    return sql


@cache
def text(name: str) -> str:
    """Return a file of clickhouse/finaliser."""
    return (folder("clickhouse") / "finaliser" / f"{name}.sql").read_text(encoding="utf-8")


@cache
def _columns(warehouse: Warehouse, table: str) -> tuple[str, ...]:
    return tuple(connection.columns(warehouse, table))
