"""Ask the warehouse what it holds of a demo run; the SQL stands in clickhouse/queries/demo_*.sql."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from spyglass.warehouse import questions
from spyglass.warehouse.client import Warehouse


class Questions:
    """Ask the warehouse the demo's query files about one run that began at ``since``."""

    def __init__(self, warehouse: Warehouse, run: str, since: datetime) -> None:
        self._warehouse = warehouse
        self._run = run
        self._since = since

    def totals(self) -> dict[str, Any]:
        """Return spans, runs, failed runs and agent runs."""
        return self._rows("demo_totals", run=self._run)[0]

    def models(self) -> list[dict[str, Any]]:
        """Return calls, tokens and cost by model."""
        return self._rows("demo_models", run=self._run)

    def notifications(self) -> list[dict[str, Any]]:
        """Return the notifications that arrived in the inbox, and earlier ones about alerts that are still open."""
        return self._rows("demo_notifications")

    def _rows(self, name: str, **parameters: object) -> list[dict[str, Any]]:
        return questions.ask(self._warehouse, name, since=self._since, **parameters)
