"""Set how long each table keeps its rows, counted from their arrival."""

from __future__ import annotations

from spyglass.settings import Settings
from spyglass.warehouse.connection import Connection

# table → setting in days
TABLES = {
    "span_content": "retention_content_days",
    "spans": "retention_spans_days",
    "fact_agent_executions": "retention_facts_days",
    "llm_calls": "retention_facts_days",
    "trace_minutes": "retention_facts_days",
    "rollup_calls_hour": "retention_rollups_days",
    "rollup_tools_hour": "retention_rollups_days",
    "rollup_users_hour": "retention_rollups_days",
    "rollup_edges_hour": "retention_rollups_days",
    "evaluations": "retention_evaluations_days",
    "logs": "retention_logs_days",
    "metrics_gauge": "retention_metrics_days",
    "metrics_sum": "retention_metrics_days",
    "metrics_histogram": "retention_metrics_days",
    "metrics_exponential_histogram": "retention_metrics_days",
    "metrics_summary": "retention_metrics_days",
    "query_log": "retention_query_log_days",
}
# Their rows belong to no organization, so no rule can name one.
OF_NOBODY = frozenset({"query_log"})
_ENGINES = "SELECT name, engine_full FROM system.tables WHERE database = 'spyglass'"


def groups() -> dict[str, list[str]]:
    """Return the tables of each group: those whose days one setting, retention_<group>_days, says."""
    found: dict[str, list[str]] = {}
    for table, setting in TABLES.items():
        found.setdefault(setting.removeprefix("retention_").removesuffix("_days"), []).append(table)
    return found


def apply(connection: Connection, settings: Settings) -> list[str]:
    """Change the tables whose retention is not that of the settings; returns their names."""
    engines = {row["name"]: row["engine_full"] for row in connection.rows(_ENGINES)}
    changed = []
    for table, setting in TABLES.items():
        days = int(getattr(settings, setting))
        if f"TTL toDateTime(ingested_at) + toIntervalDay({days})" not in engines[table]:
            connection.execute(f"ALTER TABLE spyglass.{table} MODIFY TTL toDateTime(ingested_at) + INTERVAL {days} DAY")
            changed.append(table)
    return changed
