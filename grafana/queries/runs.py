"""Ask about runs of agents: how many fail, how long they take, who is at work."""

from __future__ import annotations

from grafana.queries.promql import FAILED, IS_RUN, OF_AGENT, bucket, by, present, select
from spyglass import names
from spyglass.prometheus_names import series_name

CALLS = series_name(names.CALLS)


def failed_share() -> str:
    """Return the share of runs that failed, by agent; 0 where none did, nothing where none ran."""
    per_agent = by(names.AGENT_NAME)
    runs = f"sum {per_agent} (rate({select(CALLS, IS_RUN, *OF_AGENT)}[$__rate_interval]))"
    failed = f"sum {per_agent} (rate({select(CALLS, IS_RUN, FAILED, *OF_AGENT)}[$__rate_interval]))"
    return f"(({failed}) or 0 * ({runs})) / (({runs}) > 0)"


def duration(quantile: float) -> str:
    """Return how long runs took at this quantile, over all agents, in seconds."""
    runs = select(bucket(names.DURATION), IS_RUN, *OF_AGENT)
    return f"histogram_quantile({quantile}, sum by (le) (rate({runs}[$__rate_interval])))"


def active_agents() -> str:
    """Return how many agents ended a span in the last 5 minutes; 0 where none did."""
    agent = by(names.ORGANIZATION, names.PROJECT, names.SERVICE_NAME, names.AGENT_NAME)
    spans = select(CALLS, present(names.AGENT_NAME), *OF_AGENT)
    return f"count(sum {agent} (increase({spans}[5m])) > 0) or vector(0)"
