"""Ask whether telemetry arrives: queues, refusals, and the alerts that fire."""

from __future__ import annotations

from typing import Final

from grafana.queries.promql import VARIABLES, select
from spyglass.prometheus_names import part_metric

# What the collector counts of each kind of data, under the name that its queues call the kind.
SIGNALS: Final = {"traces": "spans", "metrics": "metric_points", "logs": "log_records"}
FIRING: Final = 'alertstate="firing"'
# Alerts carry organization and project under their short names (alertmanager/rules).
OF_TENANT: Final = tuple(f'{name}=~"${name}"' for name in list(VARIABLES.values())[:2])


def queue_fill() -> str:
    """Return the share of each collector queue that is full."""
    size, capacity = part_metric("otelcol_exporter_queue_size"), part_metric("otelcol_exporter_queue_capacity")
    return f"max by (exporter, data_type) ({size} / {capacity})"


def refused_per_second() -> str:
    """Return items a second that the collector gave back to their senders, by receiver and kind of data."""
    return " or ".join(_refused(*signal) for signal in SIGNALS.items())


def firing_count() -> str:
    """Return how many alerts fire."""
    return f"count({select(part_metric('ALERTS'), FIRING, *OF_TENANT)}) or vector(0)"


def firing() -> str:
    """Return the alerts that fire, each with its labels."""
    return select(part_metric("ALERTS"), FIRING, *OF_TENANT)


def _refused(data_type: str, items: str) -> str:
    refused = part_metric(f"otelcol_receiver_refused_{items}")
    return f'label_replace(sum by (receiver) (rate({refused}[$__rate_interval])), "data_type", "{data_type}", "", "")'
