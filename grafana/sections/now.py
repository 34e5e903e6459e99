"""Answer in one line of numbers whether the fleet is healthy."""

from __future__ import annotations

from typing import Final

from grafana import charts, style
from grafana.panels import Section
from grafana.queries import pipeline, runs
from grafana.queries.sql import question
from grafana.style import Unit
from grafana.targets import SQL, PromQL

TOTALS: Final = SQL(question("runs_total"))
USAGE: Final = SQL(question("usage_total"))

SECTION: Final = Section(
    "Now",
    (
        charts.stat(
            "Runs",
            "Runs of agents that began in the time range, counted in the warehouse. If they are too few, look at "
            "'Refused telemetry' and 'Arrival delay' below before you look at the agents.",
            TOTALS,
            Unit.COUNT,
            field_name="runs",
        ),
        charts.stat(
            "Failed runs",
            "Share of these runs that ended with an error. Above 5 % look at 'Newest errors'; above 20 % of at least "
            "10 runs the alert AgentErrorRateHigh fires.",
            TOTALS,
            Unit.SHARE,
            field_name="failed_share",
            thresholds=style.FAILURES,
        ),
        charts.stat(
            "Duration, p95",
            "19 of 20 runs took no longer than this; exact, from the warehouse. If it rises, see 'Duration of runs' "
            "for when, and follow one of its exemplars to a slow trace.",
            TOTALS,
            Unit.SECONDS,
            field_name="p95_seconds",
        ),
        charts.stat(
            "Tokens",
            "Input and output tokens that model calls reported, cached and reasoning ones included. Calls whose sender "
            "reported none are not in it: see 'Without usage' in 'Models'.",
            USAGE,
            Unit.COUNT,
            field_name="tokens",
        ),
        charts.stat(
            "Cost",
            "What model calls cost by list price, of those calls whose price is known: read it together with 'Priced "
            "calls'. If it jumps, 'Cost by model' shows which model and when.",
            USAGE,
            Unit.DOLLARS,
            field_name="cost_usd",
        ),
        charts.stat(
            "Priced calls",
            "Share of answered model calls whose cost is known. What is missing costs money that 'Cost' does not show: "
            "'Models' names the unpriced models.",
            USAGE,
            Unit.SHARE,
            field_name="priced_share",
            thresholds=style.coverage(0.9, 0.99),
        ),
        charts.stat(
            "Active agents",
            "Agents that ended a step within the last 5 minutes. An agent that should work and does not count here is "
            "stuck, stopped, or its telemetry is lost.",
            PromQL(runs.active_agents(), instant=True),
            Unit.COUNT,
        ),
        charts.stat(
            "Alerts firing",
            "Alerts that fire now for these organizations and projects, and those that belong to none. 'Firing alerts' "
            "below lists them with their runbooks.",
            PromQL(pipeline.firing_count(), instant=True),
            Unit.COUNT,
            thresholds=style.thresholds(bad=1),
        ),
    ),
)
