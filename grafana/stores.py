"""Run the query of a panel on its store, and return rows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from grafana.live import PanelQuery
from spyglass.stores import Prometheus, Tempo

Row = dict[str, Any]


class Warehouse(Protocol):
    """Answer SQL with rows; spyglass.warehouse.client.Warehouse does."""

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Return the rows of a query."""


@dataclass(frozen=True, slots=True)
class Stores:
    """Hold the clients of the three stores."""

    prometheus: Prometheus
    tempo: Tempo
    warehouse: Warehouse

    def run(self, query: PanelQuery) -> list[Row]:
        """Return the rows of a panel's query; an instant query is asked now, whatever its range.

        A row of Prometheus is one sample: its labels, ``value`` (None for NaN) and, of a range, ``time`` (Unix
        seconds). A row of Tempo is one trace as its search gives it. A row of the warehouse has the query's columns.
        Raises StoreError, or the warehouse client's errors, with the store's own sentence.
        """
        if query.store == "clickhouse":
            return self.warehouse.rows(query.query)
        start, end = query.start.timestamp(), query.end.timestamp()
        if query.store == "tempo":
            return self.tempo.search(query.query, int(start), math.ceil(end), query.limit)
        if query.instant:
            return [{**one.labels, "value": _known(one.value)} for one in self.prometheus.query(query.query)]
        return list(_samples(self.prometheus.range(query.query, start, end, query.step_seconds)))

    def exemplars(self, query: PanelQuery) -> list[Row]:
        """Return the exemplars that Grafana draws as dots over a panel's query: labels, ``time`` and ``value``."""
        dots = self.prometheus.exemplars(query.query, query.start.timestamp(), query.end.timestamp())
        return [{**dot["labels"], "time": dot["timestamp"], "value": float(dot["value"])} for dot in dots]


def _samples(series: list[Row]) -> Iterator[Row]:
    for one in series:
        for at, value in one["values"]:
            yield {**one["metric"], "time": at, "value": _known(float(value))}


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
