"""Ask the stores what the report shows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

from spyglass import names, stores
from spyglass.prometheus_names import label_name, series_name
from spyglass.report.waterfall import Bar, bars
from spyglass.settings import Settings
from spyglass.warehouse import client, questions
from spyglass.warehouse.client import Warehouse

RUNS_SHOWN = 25
Row = dict[str, Any]


class Report(NamedTuple):
    """Hold everything that the page shows."""

    made_at: datetime
    since: datetime
    organization: str
    totals: Row
    runs: list[Row]
    shown_trace: str
    waterfall: list[Bar]
    models: list[Row]
    freshness: Row
    calls_in_prometheus: float | None
    alerts: list[Row]
    firing: list[Row]

    def empty(self) -> list[str]:
        """Return the names of the sections that have nothing to show."""
        shown = {
            "runs": self.runs,
            "waterfall": self.waterfall,
            "cost by model": [row for row in self.models if row["cost_nano_usd"] is not None],
            "freshness": self.freshness["spans"],
            "alerts": self.alerts or self.firing,
        }
        return [name for name, content in shown.items() if not content]


def gather(settings: Settings, since: datetime, organization: str) -> Report:
    """Return the report's content; raises StoreError or WarehouseError where a store does not answer."""
    ask = _Questions(client.reader(settings), since, organization)
    runs = ask.rows("report_runs", limit=RUNS_SHOWN)
    trace = _most_telling(runs)
    found = stores.tempo(settings).trace(trace) if trace else None
    calls = f'sum({series_name(names.CALLS)}{{{label_name(names.ORGANIZATION)}="{organization}"}})'
    return Report(
        made_at=datetime.now(UTC),
        since=since,
        organization=organization,
        totals=ask.rows("report_totals")[0],
        runs=runs,
        shown_trace=trace,
        waterfall=bars(found or {}),
        models=ask.rows("report_models"),
        freshness=ask.rows("report_freshness")[0],
        calls_in_prometheus=stores.prometheus(settings).value(calls),
        alerts=ask.rows("report_alerts"),
        firing=stores.alertmanager(settings).alerts() or [],
    )


class _Questions:
    """Run the report's query files with the range and the organization bound."""

    def __init__(self, warehouse: Warehouse, since: datetime, organization: str) -> None:
        self.warehouse = warehouse
        self.bound = {"since": since, "organization": organization}

    def rows(self, name: str, **parameters: object) -> list[Row]:
        return questions.ask(self.warehouse, name, **self.bound, **parameters)


def _most_telling(runs: list[Row]) -> str:
    """Choose the trace to draw: the newest ones' biggest."""
    return str(max(runs, key=lambda run: run["spans"])["trace_id"]) if runs else ""
