"""Compute the calls of some days again with the prices of now, closed days included, and keep what they cost before.

A restatement goes hour by hour. In each, the calls that change are kept in ``llm_call_restatements``, their traces are
marked for the finaliser, and then they are written; so whatever ends it half way, the same command ends it, and what
follows from the calls (executions, edges, rollups) is never left behind. The finaliser does not run meanwhile: it would
write what it had read before. It makes executions of spans, so calls whose spans are no longer kept stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from typing import Any, NamedTuple

from spyglass.warehouse.client import Warehouse
from spyglass.warehouse.connection import columns
from spyglass.warehouse.finaliser import workplace
from spyglass.warehouse.prices import costs, versions

Row = dict[str, Any]

_RESTATED = {
    "cost_nano_usd": "present_nano_usd",
    "cost_source": "if(present_nano_usd IS NULL, 'unpriced', 'computed')",
    "price_book_version": "{book:UInt32}",
    "version": "toUnixTimestamp64Micro(now64(6))",
}


class Scope(NamedTuple):
    """Say which calls: from the first day to the last one, both included, in UTC; "" is every one."""

    first: date
    last: date
    organization: str = ""
    project: str = ""
    model: str = ""

    @property
    def parameters(self) -> dict[str, object]:
        """Return the parameters of the statements."""
        start = datetime.combine(self.first, clock(), tzinfo=UTC)
        end = datetime.combine(self.last, clock(), tzinfo=UTC) + timedelta(days=1)
        return {"start": start, "end": end} | {
            name: getattr(self, name) for name in ("organization", "project", "model")
        }


def preview(warehouse: Warehouse, scope: Scope) -> list[Row]:
    """Return what a restatement would change, per day, organization, project and model; nothing else is listed.

    Sums are in nano-USD, over the calls that have a price, None where none has; calls are all of that day and model.
    """
    return warehouse.rows(costs.statement("preview"), **scope.parameters)


def restate(warehouse: Warehouse, scope: Scope, progress: Callable[[str], None]) -> int:
    """Compute the calls again, as the admin, and return the version of the price book that they have now.

    One that was ended half way goes on under its version. Raises FinaliserBusyError where the finaliser does not end,
    StatementError and WarehouseUnreachableError.
    """
    version = versions.take_up(warehouse, scope._asdict())
    hours = [row["hour"].replace(tzinfo=UTC) for row in warehouse.rows(costs.statement("hours"), **scope.parameters)]
    write = _write_statement(warehouse)
    for number, hour in enumerate(hours, start=1):
        values = scope.parameters | {"start": hour, "end": hour + timedelta(hours=1), "book": version}
        _restate_hour(warehouse, write, values)
        progress(f"{hour:%Y-%m-%d %H:00}: hour {number} of {len(hours)} restated")
    versions.finish(warehouse, version)
    return version


def _restate_hour(warehouse: Warehouse, write: str, values: dict[str, object]) -> None:
    with workplace.opened(warehouse, workplace.PATIENCE_SECONDS) as work:
        work.run(costs.statement("stage", "SELECT trace_id FROM spyglass.$run_changed"), values)
        work.run(write, values)


def _write_statement(warehouse: Warehouse) -> str:
    names = columns(warehouse, "llm_calls")
    selected = ", ".join(_RESTATED.get(name, name) for name in names)
    return costs.statement("write").replace("$columns", ", ".join(names)).replace("$selected", selected)
