"""Ask about model calls as they happen."""

from __future__ import annotations

from grafana.queries.promql import OF_AGENT, by, matches, select
from spyglass import names
from spyglass.names import Metric
from spyglass.prometheus_names import series_name

OF_MODEL = (*OF_AGENT, matches(names.REQUEST_MODEL))


def tokens_per_second(metric: Metric) -> str:
    """Return the tokens a second of one token counter, by model."""
    return f"sum {by(names.REQUEST_MODEL)} (rate({select(series_name(metric), *OF_MODEL)}[$__rate_interval])) > 0"
