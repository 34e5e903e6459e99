"""Answer whether the fleet is healthy now."""

from __future__ import annotations

from typing import Final

from grafana.panels import Dashboard
from grafana.sections import failures, hosts, models, now, pipeline, runs
from grafana.variables import STANDARD

DASHBOARD: Final = Dashboard(
    name="overview",
    title="Fleet overview",
    description="Is the fleet healthy now? Demo data is in it only when the organization 'demo' is chosen.",
    variables=STANDARD,
    sections=(now.SECTION, runs.SECTION, models.SECTION, hosts.SECTION, pipeline.SECTION, failures.SECTION),
)
