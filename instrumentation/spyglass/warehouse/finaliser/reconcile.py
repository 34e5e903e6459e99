"""Compute what a range must hold from its spans, and say where the stored rows differ.

Traces are compared in portions, totals at once. What waits for the finaliser is left out: it is not wrong, it is not
there yet. So are traces of which spans are too old to be kept: nobody can say what they held.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from spyglass.warehouse import connection
from spyglass.warehouse.client import Warehouse
from spyglass.warehouse.finaliser import contributions, runs, workplace
from spyglass.warehouse.finaliser.contributions import Target, text
from spyglass.warehouse.prices.days import CLOSING_AFTER

TRACES_AT_ONCE = 2_000
# What tells of the writing and not of what was written.
_OWN = frozenset({"version", "is_deleted", "part", "price_book_version"})
_WAITING = f"trace_id IN (SELECT trace_id FROM spyglass.dirty_traces WHERE {runs.UNHANDLED})"  # noqa: S608 -- own parts
_IN_RANGE = "timestamp >= {first:DateTime64(9, 'UTC')} AND timestamp < {until:DateTime64(9, 'UTC')}"
_PORTIONS = f"""
SELECT at FROM
(
    SELECT at, row_number() OVER (ORDER BY at) AS number FROM
    (SELECT min(started_at) AS at FROM spyglass.trace_index GROUP BY trace_id)
    WHERE at >= {{first:DateTime64(9, 'UTC')}} AND at < {{until:DateTime64(9, 'UTC')}}
)
WHERE number % {TRACES_AT_ONCE} = 1
ORDER BY at
"""  # noqa: S608 -- own parts
_TRACES = f"""
CREATE TABLE spyglass.$run_traces ENGINE = Memory AS
SELECT
    trace_id, min(i.started_at) AS first, max(i.ended_at) AS last, max(i.marked_at) AS newest,
    newest < {{silent_since:DateTime64(3, 'UTC')}} AS swept, 0::UInt16 AS round
FROM spyglass.trace_index AS i
WHERE NOT ({_WAITING})
GROUP BY trace_id
HAVING first >= {{first:DateTime64(9, 'UTC')}} AND first < {{until:DateTime64(9, 'UTC')}}
    AND first >= {{kept_since:DateTime64(9, 'UTC')}}
"""  # noqa: S608 -- own parts
# Those that were asked for, without what is joined with a trace that waits: nobody can say what they will hold.
_ASKED = f"""
SELECT trace_id FROM spyglass.$run_traces
WHERE round = 0 AND trace_id NOT IN (SELECT trace_id FROM spyglass.joined_traces WHERE other IN
    (SELECT trace_id FROM spyglass.dirty_traces WHERE {runs.UNHANDLED}))
"""  # noqa: S608 -- own parts
_UNKNOWN = f"""
SELECT trace_id, count() AS missing, 0 AS unexpected FROM spyglass.spans
WHERE {_IN_RANGE} AND trace_id NOT IN (SELECT trace_id FROM spyglass.trace_index) AND NOT ({_WAITING})
GROUP BY trace_id
"""  # noqa: S608 -- own parts
_DIFFERENCES = """
SELECT $place, countIf(surplus > 0) AS missing, countIf(surplus < 0) AS unexpected FROM
(
    SELECT $values, sum(side) AS surplus FROM
    (
        SELECT $compared, 1 AS side FROM ($expected)
        UNION ALL
        SELECT $compared, -1 AS side FROM spyglass.$table FINAL WHERE $replaced
    )
    GROUP BY ALL
    HAVING surplus != 0
)
GROUP BY $place
ORDER BY $place
"""
_DONE = "SELECT at FROM spyglass.reconciliations WHERE until = {until:DateTime('UTC')}"
_LENGTHS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1)}
_REPAIR = """
INSERT INTO spyglass.dirty_traces (trace_id, started_at, ended_at)
SELECT trace_id, min(timestamp), max(timestamp + toIntervalNanosecond(duration_ns)) FROM spyglass.spans
WHERE trace_id IN {traces:Array(String)}
GROUP BY trace_id
"""


class Difference(NamedTuple):
    """Say where rows differ: ``place`` is a trace, or organization, project and time of a total."""

    table: str
    place: tuple[Any, ...]
    missing: int
    unexpected: int


class Range(NamedTuple):
    """Hold the range that is compared: whole hours, in UTC; what begins in it counts."""

    first: datetime
    until: datetime


def differences(
    warehouse: Warehouse,
    asked: Range,
    silent_after: timedelta,
    kept_for: timedelta,
    closing_after: timedelta = CLOSING_AFTER,
) -> Iterator[Difference]:
    """Yield what differs of the traces and totals of a range; spans are ``kept_for`` so long.

    Days are closed ``closing_after`` their end: what their calls cost is taken as it is.

    Raises FinaliserBusyError where the finaliser does not end, StatementError, WarehouseUnreachableError.
    """
    times, values = runs.look(warehouse, silent_after, closing_after)
    values |= asked._asdict() | {"kept_since": times["now"] - kept_for}
    for row in warehouse.rows(_UNKNOWN, **values):
        yield Difference("trace_index", (row["trace_id"],), row["missing"], row["unexpected"])
    for portion in _portions(warehouse, values):
        with workplace.opened(warehouse, workplace.PATIENCE_SECONDS) as work:
            work.run(_TRACES, values | portion._asdict())
            runs.decide(warehouse, work, values)
            targets = contributions.TRACES
            found = [each for target in targets for each in _compared(warehouse, work, target, "trace_id", values)]
            asked_for = {row["trace_id"] for row in warehouse.rows(work.named(_ASKED), **values)} if found else set()
            yield from (each for each in found if each.place[0] in asked_for)
    for unit, part in _units(times, asked).items():
        with workplace.opened(warehouse, workplace.PATIENCE_SECONDS) as work:
            for target in contributions.within(unit):
                yield from _compared(warehouse, work, target, "organization, project, time", values | part._asdict())


def nightly(
    warehouse: Warehouse, silent_after: timedelta, kept_for: timedelta, closing_after: timedelta = CLOSING_AFTER
) -> list[Difference] | None:
    """Compare yesterday, mend what differs, note it in ``reconciliations`` and return it; None when that was done."""
    times, _ = runs.look(warehouse, silent_after)
    today = times["now"].replace(hour=0, minute=0, second=0, microsecond=0)
    asked = Range(today - timedelta(days=1), today)
    if times["closed_before"] < today or warehouse.rows(_DONE, until=today):
        return None
    found = list(differences(warehouse, asked, silent_after, kept_for, closing_after))
    if found:
        repair(warehouse, found)
    tables = sorted({item.table for item in found})
    warehouse.insert("spyglass.reconciliations", [{**asked._asdict(), "differences": len(found), "tables": tables}])
    return found


def repair(warehouse: Warehouse, found: Sequence[Difference]) -> None:
    """Give the traces that differ to the finaliser, and write the totals of the times that differ again.

    Raises as differences() does. The traces are right when the finaliser has caught up.
    """
    traces = sorted({str(item.place[0]) for item in found if len(item.place) == 1})
    if traces:
        warehouse.execute(_REPAIR, traces=traces)
    _, values = runs.look(warehouse, timedelta(0))
    for unit, length in _LENGTHS.items():
        wrong = [item.place[-1] for item in found if item.table.endswith(f"_{unit}")]
        if wrong:
            part = Range(min(wrong), max(wrong) + length)
            with workplace.opened(warehouse, workplace.PATIENCE_SECONDS) as work:
                for target in contributions.within(unit):
                    work.run(contributions.statement(warehouse, target), values | part._asdict())


def _portions(warehouse: Warehouse, values: dict[str, Any]) -> Iterator[Range]:
    starts = [row["at"] for row in warehouse.rows(_PORTIONS, **values)]
    yield from (Range(*pair) for pair in zip(starts, [*starts[1:], values["until"]], strict=True))


def _units(times: dict[str, datetime], asked: Range) -> dict[str, Range]:
    """Return the part of the range that has totals by minute, and the one that has them by hour."""
    kept = times["now"] - runs.MINUTES_FOR + timedelta(hours=1)
    parts = {
        "minute": Range(max(asked.first, kept.replace(minute=0, second=0, microsecond=0)), asked.until),
        "hour": Range(asked.first, min(asked.until, times["closed_before"])),
    }
    return {unit: part for unit, part in parts.items() if part.first < part.until}


def _compared(
    warehouse: Warehouse, work: workplace.Work, target: Target, place: str, values: dict[str, Any]
) -> Iterator[Difference]:
    types = connection.columns(warehouse, target.table)
    compared = {name: _comparable(name, kind) for name, kind in types.items() if name not in _OWN}
    parts = {
        "$expected": target.select or text(target.table),
        "$compared": ", ".join(compared.values()),
        "$values": ", ".join(compared),
        "$place": place,
        "$replaced": target.replaced,
        "$table": target.table,
    }
    sql = _DIFFERENCES
    for name, part in parts.items():
        sql = sql.replace(name, part)
    for row in warehouse.rows(work.named(sql), **values):
        *where, missing, unexpected = row.values()
        yield Difference(target.table, tuple(where), missing, unexpected)


def _comparable(name: str, kind: str) -> str:
    """Return the value as the table has it, and rounded where it is a fraction, because sums depend on their order."""
    if kind.startswith("AggregateFunction"):
        return f"finalizeAggregation({name}) AS {name}"
    return f"round(CAST({name}, '{kind}'), 6) AS {name}" if "Float" in kind and "Array" not in kind else name
