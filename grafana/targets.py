"""Say what a panel asks, and of which store: Prometheus, the warehouse or Tempo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

PROMETHEUS: Final = {"type": "prometheus", "uid": "prometheus"}
TEMPO: Final = {"type": "tempo", "uid": "tempo"}
CLICKHOUSE: Final = {"type": "grafana-clickhouse-datasource", "uid": "clickhouse"}

# The ClickHouse plugin's numbers for what a query's rows become.
_FRAME = {"timeseries": 0, "table": 1}


@dataclass(frozen=True, slots=True)
class PromQL:
    """Ask Prometheus; an instant query for one value per series now, else a range; ``table`` gives rows of labels."""

    expr: str
    legend: str = "__auto"
    instant: bool = False
    exemplars: bool = False
    table: bool = False

    datasource = PROMETHEUS

    def to_json_data(self) -> dict[str, Any]:
        """Return the target as Grafana's Prometheus data source reads it."""
        return {
            "datasource": self.datasource,
            "editorMode": "code",
            "exemplar": self.exemplars,
            "expr": self.expr,
            "format": "table" if self.table else "time_series",
            "instant": self.instant,
            "legendFormat": self.legend,
            "range": not self.instant,
        }


@dataclass(frozen=True, slots=True)
class SQL:
    """Ask the warehouse; ``series`` when the rows are (time, label, value), else a table."""

    sql: str
    series: bool = False

    datasource = CLICKHOUSE

    def to_json_data(self) -> dict[str, Any]:
        """Return the target as Grafana's ClickHouse plugin reads it."""
        kind = "timeseries" if self.series else "table"
        return {
            "datasource": self.datasource,
            "editorType": "sql",
            "format": _FRAME[kind],
            "queryType": kind,
            "rawSql": self.sql,
        }


@dataclass(frozen=True, slots=True)
class TraceQL:
    """Ask Tempo for the newest traces that match."""

    query: str
    limit: int = 20

    datasource = TEMPO

    def to_json_data(self) -> dict[str, Any]:
        """Return the target as Grafana's Tempo data source reads it."""
        return {
            "datasource": self.datasource,
            "limit": self.limit,
            "query": self.query,
            "queryType": "traceql",
            "tableType": "traces",
        }


Target = PromQL | SQL | TraceQL
