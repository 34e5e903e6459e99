"""Show runs over time: how many, how many fail, how long they take."""

from __future__ import annotations

from typing import Final

from grafana import charts, style
from grafana.panels import Column, Section
from grafana.queries import runs
from grafana.queries.promql import legend
from grafana.queries.sql import question
from grafana.style import Colour, Unit
from grafana.targets import SQL, PromQL
from spyglass import names

SECTION: Final = Section(
    "Runs",
    (
        charts.time_series(
            "Runs by outcome",
            "Runs of agents by when they began, counted in the warehouse. A gap means that nothing ran or that nothing "
            "arrived; 'no status' are runs whose sender says neither success nor failure.",
            [SQL(question("runs_by_outcome"), series=True)],
            Unit.COUNT,
            bars=True,
            stacked=True,
            columns=(
                Column("succeeded", colour=Colour.GOOD),
                Column("failed", colour=Colour.BAD),
                Column("without_status", title="no status", colour=Colour.UNKNOWN),
            ),
        ),
        charts.time_series(
            "Failed runs by agent",
            "Share of each agent's runs that end with an error. One agent that rises alone is its own fault; all at "
            "once point to a provider or to the network.",
            [PromQL(runs.failed_share(), legend=legend(names.AGENT_NAME))],
            Unit.SHARE,
            maximum=1,
            thresholds=style.FAILURES,
        ),
        charts.time_series(
            "Duration of runs",
            "Quantiles of how long runs take. The dots are single runs: click one to open its trace and see which step "
            "took the time. p99 that leaves p50 behind means that a few runs hang.",
            [
                PromQL(runs.duration(0.5), legend="p50"),
                PromQL(runs.duration(0.95), legend="p95"),
                PromQL(runs.duration(0.99), legend="p99", exemplars=True),
            ],
            Unit.SECONDS,
            columns=(
                Column("p50", colour=Colour.LOW),
                Column("p95", colour=Colour.MIDDLE),
                Column("p99", colour=Colour.HIGH),
            ),
        ),
    ),
)
