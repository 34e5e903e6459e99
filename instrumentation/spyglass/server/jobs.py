"""Run the background jobs: each a function called at an interval, whose failures are counted and do not stop it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from prometheus_client import Counter, Gauge

from spyglass import names
from spyglass.errors import FinaliserBusyError, SpyglassError
from spyglass.prometheus_names import series_name
from spyglass.settings import Settings
from spyglass.warehouse import finaliser
from spyglass.warehouse.client import Warehouse
from spyglass.warehouse.finaliser import reconcile
from spyglass.warehouse.prices import table as price_table

log = logging.getLogger(__name__)

RUNS = Counter("spyglass_server_job_runs", "Runs of background jobs, by job and outcome.", ["job", "outcome"])
FRESHNESS = Gauge(series_name(names.FRESHNESS), names.FRESHNESS.sentence)
NEWEST_SPAN = (
    "SELECT dateDiff('millisecond', max(timestamp), now64(3)) / 1000 AS age FROM spans WHERE ingested_at > now() - 3600"
)


class Job(NamedTuple):
    """Name a job, the seconds between its runs, and what it does."""

    name: str
    every_seconds: float
    run: Callable[[Warehouse], None]


def resolve_prices(warehouse: Warehouse) -> None:
    """Give models seen for the first time their price."""
    for line in price_table.resolve_new_models(warehouse):
        log.info("%s", line)


def finalise(warehouse: Warehouse, silent_after: timedelta, closing_after: timedelta) -> None:
    """Write the executions, calls and totals of the spans that came, until none waits."""
    with contextlib.suppress(FinaliserBusyError):  # somebody else does it
        for _ in finaliser.catch_up(warehouse, silent_after, closing_after):
            pass


def reconcile_yesterday(
    warehouse: Warehouse, silent_after: timedelta, kept_for: timedelta, closing_after: timedelta
) -> None:
    """Compare yesterday's executions, calls and totals with their spans, once, and mend what differs."""
    with contextlib.suppress(FinaliserBusyError):  # the next round does it
        for item in reconcile.nightly(warehouse, silent_after, kept_for, closing_after) or ():
            log.error("%s of %s differed from the spans and is written again.", item.table, item.place)


def measure_freshness(warehouse: Warehouse) -> None:
    """Set the gauge of the newest span's age; without a span in the last hour there is no value."""
    (row,) = warehouse.rows(NEWEST_SPAN)
    age = row["age"]
    FRESHNESS.set(float("nan") if age is None else float(age))


def jobs(settings: Settings) -> tuple[Job, ...]:
    """Return the jobs of a server."""
    silent_after = timedelta(seconds=settings.execution_silence_seconds)
    closing_after = timedelta(hours=settings.cost_closing_hours)
    kept_for = timedelta(days=settings.retention_spans_days)
    return (
        Job("prices", 5.0, resolve_prices),
        Job("finaliser", 5.0, lambda warehouse: finalise(warehouse, silent_after, closing_after)),
        Job(
            "reconcile", 600.0, lambda warehouse: reconcile_yesterday(warehouse, silent_after, kept_for, closing_after)
        ),
        Job("freshness", 15.0, measure_freshness),
    )


async def run_for_ever(job: Job, warehouse: Warehouse) -> None:
    """Run one job until it is cancelled; a failure is logged once until the job succeeds again."""
    failing = False
    while True:
        try:
            await asyncio.to_thread(job.run, warehouse)
        except SpyglassError as error:
            RUNS.labels(job.name, "failed").inc()
            log.log(logging.DEBUG if failing else logging.WARNING, "job %s failed: %s", job.name, error)
            failing = True
        else:
            RUNS.labels(job.name, "done").inc()
            failing = False
        await asyncio.sleep(job.every_seconds)
