"""Declare the variables of every dashboard, chained: organization, project, agent, model, and the interval of bars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from grafana import style, targets
from grafana.queries import promql
from spyglass import names
from spyglass.prometheus_names import label_name, series_name

ALL: Final = {"text": "All", "value": "$__all"}
ANYTHING: Final = ".*"
AUTO_INTERVAL: Final = "$__auto_interval_interval"
INTERVALS: Final = "10s,30s,1m,5m,15m,1h,6h,1d"
ON_TIME_RANGE_CHANGE: Final = 2
ALPHABETICAL: Final = 5


@dataclass(frozen=True, slots=True)
class Choice:
    """Let the user choose values of a label that some series carry; ``everything`` is the expression that All means."""

    name: str
    label: str
    series: str
    matchers: tuple[str, ...] = ()
    everything: str = ANYTHING

    def to_json_data(self) -> dict[str, Any]:
        """Return the variable as Grafana's dashboard model holds it."""
        query = f"label_values({promql.select(self.series, *self.matchers)}, {self.label})"
        return {
            "type": "query",
            "name": self.name,
            "label": self.name.capitalize(),
            "datasource": targets.PROMETHEUS,
            "query": {"qryType": 1, "query": query, "refId": "Variable"},
            "refresh": ON_TIME_RANGE_CHANGE,
            "sort": ALPHABETICAL,
            "includeAll": True,
            "multi": True,
            "allowCustomValue": True,
            "allValue": self.everything,
            "current": ALL,
            "options": [],
            "hide": 0,
        }


@dataclass(frozen=True, slots=True)
class Interval:
    """Let the user choose how wide a bar is; by default it follows the time range."""

    name: str = "interval"

    def to_json_data(self) -> dict[str, Any]:
        """Return the variable as Grafana's dashboard model holds it."""
        return {
            "type": "interval",
            "name": self.name,
            "label": "Bar width",
            "query": INTERVALS,
            "auto": True,
            "auto_count": 60,
            "auto_min": "10s",
            "refresh": ON_TIME_RANGE_CHANGE,
            "current": {"text": "auto", "value": AUTO_INTERVAL},
            "options": [{"text": "auto", "value": AUTO_INTERVAL, "selected": True}]
            + [{"text": width, "value": width, "selected": False} for width in INTERVALS.split(",")],
            "hide": 0,
        }


def anything_but(word: str) -> str:
    """Return a regular expression, to be anchored at both ends, that matches every text except ``word``.

    RE2, which all three stores use, has no look-ahead; so it lists how a text can differ: it ends within the word,
    leaves it at some character, or goes on after it.
    """
    shorter = [word[:length] for length in range(len(word))]
    other = [f"{word[:at]}[^{letter}].*" for at, letter in enumerate(word)]
    return "|".join([*shorter, *other, f"{word}.+"])


CALLS: Final = series_name(names.CALLS)
ORGANIZATION: Final = Choice("organization", label_name(names.ORGANIZATION), CALLS, everything=anything_but(style.DEMO))
PROJECT: Final = Choice("project", label_name(names.PROJECT), CALLS, (promql.matches(names.ORGANIZATION),))
AGENT: Final = Choice("agent", label_name(names.AGENT_NAME), CALLS, promql.TENANT)
MODEL: Final = Choice("model", label_name(names.REQUEST_MODEL), CALLS, promql.TENANT)

STANDARD: Final = (ORGANIZATION, PROJECT, AGENT, MODEL, Interval())
