"""Write what agents did from the spans that came: executions, model calls, what each trace did, totals, and texts.

The statements stand in clickhouse/finaliser; its README says how they make repeated and late spans harmless.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from spyglass.errors import StatementError
from spyglass.warehouse.client import Warehouse
from spyglass.warehouse.finaliser import contributions, joins, workplace
from spyglass.warehouse.finaliser.contributions import Target, text
from spyglass.warehouse.prices.days import CLOSING_AFTER, closed_before

log = logging.getLogger(__name__)

# An insert takes a minute at most, so a mark is visible this long after its stamp at the latest.
LONGEST_INSERT = timedelta(minutes=15)
# What the finaliser writes is on the disk after this time, though nothing is synced: the system writes it out.
WRITTEN_OUT = timedelta(minutes=10)
# Minutes are kept for two weeks; older ones are not written at all.
MINUTES_FOR = timedelta(days=14)
# Most spans of an hour are there this long after its end, so that its totals are rarely made twice.
HOUR_OPEN = timedelta(minutes=15)
MOST_MARKS = 2_000
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
# What leads to the executions, and the column of _NEEDED that says whether a step has anything to do.
_STEPS = (
    ("3_nodes", ""),
    ("3_places", ""),
    ("4_kept", ""),
    ("4_kept_costs", "closed"),
    ("4_twins", ""),
    ("4_twins_here", "doubled"),
    ("4_twins_elsewhere", "orphaned"),
    ("4_owners", ""),
    ("5_executions", ""),
)
_WRITERS = 2
_CLOCK = """
SELECT
    now64(6) AS now,
    now() - INTERVAL uptime() SECOND AS engine_started,
    (SELECT max(looked_at) FROM spyglass.finaliser_runs) AS last_run,
    (SELECT max(looked_at) FROM spyglass.finaliser_runs WHERE caught_up) AS last_caught_up,
    (SELECT max(closed_until) FROM spyglass.closed_hours) AS closed_before
"""
# Marks that no run has handled, as in 1_marks.sql.
UNHANDLED = """
marked_at >= {since:DateTime64(3, 'UTC')}
AND mark NOT IN (SELECT mark FROM spyglass.clean_marks WHERE marked_at >= {since:DateTime64(3, 'UTC')})
"""
_WAITING = f"""
SELECT
    (SELECT count() FROM spyglass.dirty_traces WHERE {UNHANDLED}) AS marks,
    (SELECT count() FROM spyglass.open_traces FINAL WHERE marked_at < {{silent_since:DateTime64(3, 'UTC')}}) AS silent
"""  # noqa: S608 -- own parts
_REDO = """
INSERT INTO spyglass.dirty_traces (trace_id, started_at, ended_at)
SELECT trace_id, min(d.started_at), max(d.ended_at) FROM spyglass.dirty_traces AS d
WHERE marked_at >= {redo_since:DateTime64(3, 'UTC')}
GROUP BY trace_id
"""
_NEEDED = """
SELECT
    (SELECT count() FROM spyglass.$run_traces WHERE first < {costs_closed_before:DateTime('UTC')}) > 0 AS closed,
    max(scopes) > 1 OR max(ids - different_ids) > 0 OR (SELECT count() FROM spyglass.$run_joins) > 0 AS doubled,
    max(roots) > 0 AS orphaned
FROM
(
    SELECT
        uniqExact(scope_name) AS scopes, countIf(response_id != '') AS ids,
        uniqExactIf(response_id, response_id != '') AS different_ids, countIf(parent_span_id = '') AS roots
    FROM spyglass.$run_spans
    WHERE reports OR kind IN ('llm', 'embedding')
    GROUP BY trace_id
)
"""
_SOUGHT = "SELECT 1 FROM spyglass.$run_sought LIMIT 1"
_TOLD = "SELECT trace_id FROM spyglass.$run_told ORDER BY trace_id"
_COUNTS = """
SELECT
    (SELECT count() FROM spyglass.$run_marks) AS marks,
    (SELECT count() FROM spyglass.$run_traces) AS traces,
    (SELECT count() FROM spyglass.$run_spans) AS spans,
    (SELECT count() FROM spyglass.$run_dirty_minutes) AS minute,
    (SELECT count() FROM spyglass.$run_dirty_hours) AS hour
"""
_RAN = """
INSERT INTO spyglass.finaliser_runs (looked_at, caught_up, marks, traces, spans, seconds)
SELECT
    {looked_at:DateTime64(6, 'UTC')}, {caught_up:Bool}, {marks:UInt32}, {traces:UInt32}, {spans:UInt64},
    {seconds:Float64}
"""
_CLOSED = "INSERT INTO spyglass.closed_hours SELECT {closed_until:DateTime('UTC')}"


class Run(NamedTuple):
    """Say what a run handled; ``caught_up`` when it left no mark for the next one."""

    marks: int
    traces: int
    spans: int
    seconds: float
    caught_up: bool


NOTHING = Run(0, 0, 0, 0.0, caught_up=True)


def finalise(
    warehouse: Warehouse,
    silent_after: timedelta,
    closing_after: timedelta = CLOSING_AFTER,
    patience_seconds: float = 0.0,
) -> Run:
    """Handle the marks that wait, at most MOST_MARKS of them, as the admin; returns what that was.

    Traces of which nothing came for ``silent_after`` are closed, though the span of an agent is missing. Calls of a day
    that ended ``closing_after`` ago keep the cost that they have. A run that fails is simply made again. Raises
    FinaliserBusyError where another runs for longer than ``patience_seconds``, StatementError,
    WarehouseUnreachableError.
    """
    started = time.monotonic()
    times, values = look(warehouse, silent_after, closing_after)
    redo = BEGINNING < times["last_run"] < times["engine_started"]
    (waiting,) = warehouse.rows(_WAITING, **values)
    if not (redo or any(waiting.values()) or times["closed_before"] < values["closed_until"]):
        return NOTHING
    with workplace.opened(warehouse, patience_seconds) as work:
        if redo:
            work.run(_REDO, {"redo_since": times["last_run"] - WRITTEN_OUT})
        counts = _write(warehouse, work, values)
    made = Run(**counts, seconds=time.monotonic() - started, caught_up=counts["marks"] < MOST_MARKS)
    warehouse.execute(_RAN, looked_at=times["now"], **made._asdict())
    return made


def catch_up(
    warehouse: Warehouse,
    silent_after: timedelta,
    closing_after: timedelta = CLOSING_AFTER,
    patience_seconds: float = 0.0,
) -> Iterator[Run]:
    """Make runs until none leaves a mark, and yield each; raises as ``finalise`` does."""
    while True:
        made = finalise(warehouse, silent_after, closing_after, patience_seconds)
        yield made
        if made.caught_up:
            return


def look(
    warehouse: Warehouse, silent_after: timedelta, closing_after: timedelta = CLOSING_AFTER
) -> tuple[dict[str, datetime], dict[str, Any]]:
    """Return the warehouse's moments, and the parameters of the statements for a run that begins now."""
    (clock,) = warehouse.rows(_CLOCK)
    times = {name: _utc(value) for name, value in clock.items()}
    now, last = times["now"], times["last_caught_up"]
    return times, {
        "version": int(now.timestamp() * 1_000_000),
        "since": last - LONGEST_INSERT if last > BEGINNING else BEGINNING,
        "silent_since": now - silent_after,
        "costs_closed_before": closed_before(now, closing_after),
        "most": MOST_MARKS,
        "minutes_since": now - MINUTES_FOR,
        "closed_before": times["closed_before"],
        "closed_until": max(times["closed_before"], (now - HOUR_OPEN).replace(minute=0, second=0, microsecond=0)),
    }


def _write(warehouse: Warehouse, work: workplace.Work, values: Mapping[str, Any]) -> dict[str, int]:
    """Run the statements in their order and return how much there was."""
    work.run(text("1_marks"), values)
    decide(warehouse, work, values)
    _replace(warehouse, work, contributions.TRACES, values)
    work.run(text("6_minutes"), values)
    (counts,) = warehouse.rows(work.named(_COUNTS))
    for unit in contributions.UNITS:
        if counts.pop(unit):
            _replace(warehouse, work, contributions.touched(unit), values)
    if values["closed_before"] < values["closed_until"]:
        work.run(_CLOSED, values)
    _assemble(warehouse, work, values)
    work.run(text("8_open"), values)
    return dict(counts)


def _assemble(warehouse: Warehouse, work: workplace.Work, values: Mapping[str, Any]) -> None:
    """Assemble texts; what is counted does not wait for a text with which the engine cannot deal."""
    work.run(text("7_told"), values)
    traces = [row["trace_id"] for row in warehouse.rows(work.named(_TOLD))]
    try:
        if traces:
            work.run(text("7_texts"), values)
    except StatementError as error:
        said = "The texts of %d traces (%s, ...) stay as they were sent, for they could not be assembled: %s"
        log.error(said, len(traces), traces[0], error)  # noqa: TRY400 -- the sentence says it


def decide(warehouse: Warehouse, work: workplace.Work, values: Mapping[str, Any]) -> None:
    """Fill the work tables up to the executions, for the traces in ``$run_traces``, and for all that are joined."""
    crowded = joins.gather(warehouse, work, values)
    work.run(text("3_joins"), values)
    work.run(text("3_sought"), {**values, "crowded": crowded})
    if warehouse.rows(work.named(_SOUGHT)):
        joins.join(warehouse, work, values)
    needed: Mapping[str, Any] = {}
    for name, need in _STEPS:
        if need and not needed:
            (needed,) = warehouse.rows(work.named(_NEEDED), **values)
        if not need or needed[need]:
            work.run(text(name), values)


def _replace(warehouse: Warehouse, work: workplace.Work, targets: Sequence[Target], values: Mapping[str, Any]) -> None:
    """Write tables that do not depend on each other: planning takes a core, so two at a time."""
    with ThreadPoolExecutor(_WRITERS) as pool:
        for _ in pool.map(lambda target: work.run(contributions.statement(warehouse, target), values), targets):
            pass


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
