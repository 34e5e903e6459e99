"""Write what agents did from the spans that came: executions, model calls and who called whom, each row exact.

The statements stand in clickhouse/finaliser; its README says how they make repeated and late spans harmless.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from spyglass.assets import folder
from spyglass.warehouse import workplace
from spyglass.warehouse.client import Warehouse

# An insert takes a minute at most, so a mark is visible this long after its stamp at the latest.
LONGEST_INSERT = timedelta(minutes=15)
MOST_MARKS = 5_000
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
STEPS = ("1_marks", "2_spans", "3_places", "4_owners", "5_executions", "6_calls", "7_edges")
WORK_TABLES = ("marks", "traces", "spans", "places", "owners")
# What is written, and what tells its rows apart: the engine's sorting key.
TARGETS = {
    "fact_agent_executions": "organization, project, agent, started_at, trace_id, execution_id",
    "llm_calls": "organization, project, model, agent, started_at, trace_id, span_id",
    "agent_edges": "organization, project, hour, caller, callee_kind, callee, trace_id",
}
_CLOCK = "SELECT now64(6) AS now, (SELECT max(looked_at) FROM spyglass.finaliser_runs WHERE caught_up) AS last"
_WAITING = """
SELECT
    (
        SELECT count() FROM spyglass.dirty_traces
        WHERE marked_at >= {since:DateTime64(3, 'UTC')}
            AND mark NOT IN (SELECT mark FROM spyglass.clean_marks WHERE marked_at >= {since:DateTime64(3, 'UTC')})
    ) AS marks,
    (SELECT count() FROM spyglass.open_traces FINAL WHERE marked_at < {silent_since:DateTime64(3, 'UTC')}) AS silent
"""
_COLUMNS = """
SELECT name FROM system.columns
WHERE database = 'spyglass' AND table = {table:String} AND default_kind IN ('', 'DEFAULT')
ORDER BY position
"""
_COUNTS = """
SELECT
    (SELECT count() FROM spyglass.$run_marks) AS marks,
    (SELECT count() FROM spyglass.$run_traces) AS traces,
    (SELECT count() FROM spyglass.$run_spans) AS spans
"""
_WRITE = """
INSERT INTO spyglass.$table ($columns)
SELECT $columns FROM spyglass.$run_$table
UNION ALL
SELECT $replaced FROM spyglass.$table FINAL
WHERE trace_id IN (SELECT trace_id FROM spyglass.$run_traces)
    AND ($key) NOT IN (SELECT $key FROM spyglass.$run_$table)
"""
_CLEAN = "INSERT INTO spyglass.clean_marks (marked_at, mark) SELECT marked_at, mark FROM spyglass.$run_marks"


class Run(NamedTuple):
    """Say what a run handled; ``caught_up`` when it left no mark for the next one."""

    marks: int
    traces: int
    spans: int
    seconds: float
    caught_up: bool


NOTHING = Run(0, 0, 0, 0.0, caught_up=True)


def finalise(warehouse: Warehouse, silent_after: timedelta) -> Run:
    """Handle the marks that wait, at most MOST_MARKS of them, as the admin; returns what that was.

    Traces of which nothing came for ``silent_after`` are closed, though the span of an agent is missing. A run that
    fails is simply made again. Raises FinaliserBusyError while another runs, StatementError, WarehouseUnreachableError.
    """
    started = time.monotonic()
    (clock,) = warehouse.rows(_CLOCK)
    now, last = _utc(clock["now"]), _utc(clock["last"])
    values = {
        "version": int(now.timestamp() * 1_000_000),
        "since": last - LONGEST_INSERT if last > BEGINNING else BEGINNING,
        "silent_since": now - silent_after,
        "most": MOST_MARKS,
    }
    (waiting,) = warehouse.rows(_WAITING, **values)
    if not any(waiting.values()):
        return NOTHING
    with workplace.opened(warehouse, (*WORK_TABLES, *TARGETS)) as work:
        for name in STEPS:
            work.run(_text(name), values)
        for table, key in TARGETS.items():
            work.run(_write(warehouse, table, key), values)
        work.run(_text("8_open"), values)
        work.run(_CLEAN, values)
        (counts,) = warehouse.rows(work.named(_COUNTS))
    made = Run(**counts, seconds=time.monotonic() - started, caught_up=counts["marks"] < MOST_MARKS)
    warehouse.insert("spyglass.finaliser_runs", [{"looked_at": now, **made._asdict()}])
    return made


def _text(name: str) -> str:
    return (folder("clickhouse") / "finaliser" / f"{name}.sql").read_text(encoding="utf-8")


def _write(warehouse: Warehouse, table: str, key: str) -> str:
    """Return the statement that writes the new rows and, in the same insert, deletes those that are no more."""
    columns = [row["name"] for row in warehouse.rows(_COLUMNS, table=table)]
    replaced = {"version": "{version:UInt64}", "is_deleted": "1"}
    named = {
        "$columns": ", ".join(columns),
        "$replaced": ", ".join(replaced.get(column, column) for column in columns),
        "$key": key,
        "$table": table,
    }
    sql = _WRITE
    for name, text in named.items():
        sql = sql.replace(name, text)
    return sql


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
