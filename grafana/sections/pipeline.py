"""Show whether telemetry arrives, and what does not."""

from __future__ import annotations

from typing import Final

from grafana import charts, style
from grafana.panels import Column, Section
from grafana.queries import pipeline
from grafana.queries.sql import question
from grafana.style import Colour, Unit
from grafana.targets import SQL, PromQL

SECTION: Final = Section(
    "Pipeline",
    (
        charts.time_series(
            "Collector queues",
            "Share of each durable queue that is full. A queue that grows means that its store is down or too slow; "
            "nothing is lost until it is full. Above 50 % TelemetryQueueFilling fires.",
            [PromQL(pipeline.queue_fill(), legend="{{exporter}} · {{data_type}}")],
            Unit.SHARE,
            width=7,
            maximum=1,
            thresholds=style.thresholds(0.5, 0.9),
        ),
        charts.time_series(
            "Refused telemetry",
            "Items a second that the collector gave back because a queue or its memory was full. Senders repeat them "
            "for a while and then lose them: mend the store behind the fullest queue.",
            [PromQL(pipeline.refused_per_second(), legend="{{receiver}} · {{data_type}}")],
            Unit.PER_SECOND,
            width=7,
        ),
        charts.time_series(
            "Arrival delay",
            "Time from a span's end to its row in the warehouse, by when it arrived. Seconds are a busy pipeline, "
            "minutes a dead store that came back or a replay; below 0 the sender's clock is ahead.",
            [SQL(question("arrival_delay"), series=True)],
            Unit.SECONDS,
            width=7,
            columns=(
                Column("p50_seconds", title="p50", colour=Colour.LOW),
                Column("p95_seconds", title="p95", colour=Colour.MIDDLE),
            ),
        ),
        charts.stat(
            "Dead letters",
            "Requests and rows that the warehouse could not store in the time range, whoever sent them. They are kept "
            "with the reason: spyglass warehouse dead-letters.",
            SQL(question("dead_letters")),
            Unit.COUNT,
            field_name="letters",
            height=8,
            thresholds=style.thresholds(bad=1),
        ),
    ),
)
