"""Lead from what went wrong to the trace that shows why."""

from __future__ import annotations

from typing import Final

from grafana import charts, links
from grafana.panels import Column, Section
from grafana.queries import pipeline, traces
from grafana.queries.sql import question
from grafana.style import Unit
from grafana.targets import SQL, PromQL, TraceQL
from spyglass import names
from spyglass.prometheus_names import label_name

HOST: Final = label_name(names.HOST_NAME)

SECTION: Final = Section(
    "What failed, and what ran",
    (
        charts.table(
            "Newest errors",
            "The spans that failed last, in any agent, tool or model call. Click a trace id to see the whole run; the "
            "same error type in many agents points to what they share.",
            SQL(question("newest_errors")),
            (
                Column("timestamp", "Began", Unit.TIME, width=190),
                Column("agent", "Agent"),
                Column("kind", "Kind", width=90),
                Column("name", "Span"),
                Column("error_type", "Error"),
                Column("status_message", "Message"),
                Column("duration_seconds", "Took", Unit.SECONDS, width=90),
                Column("service", "Service"),
                Column("trace_id", "Trace", link=links.trace("trace_id")),
            ),
            width=24,
            empty="no errors",
        ),
        charts.table(
            "Firing alerts",
            "Alerts that fire now. The runbook of an alert has its name: alertmanager/runbooks. Silence what you are "
            "working on with amtool, and say why.",
            PromQL(pipeline.firing(), instant=True, table=True),
            (
                Column("alertname", "Alert"),
                Column("severity", "Severity"),
                Column("organization", "Organization"),
                Column("project", "Project"),
                Column("agent", "Agent"),
                Column(HOST, "Host"),
            ),
            width=12,
            empty="nothing fires",
            transformations=(charts.columns_only("alertname", "severity", "organization", "project", "agent", HOST),),
        ),
        charts.table(
            "Newest runs",
            "The traces that came last and hold a run of an agent, from Tempo. Click one to open it; if this is empty "
            "while 'Runs' counts, Tempo is behind or down.",
            TraceQL(traces.newest_runs()),
            (Column("traceID", "Trace"), Column("traceDuration", "Took")),
            width=12,
        ),
    ),
)
