"""Decide how every dashboard looks and is called: units, colours, thresholds, legends, refresh, tags, uids.

Nothing here knows a panel type or a query, and nothing else chooses a colour or a unit.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

from spyglass.names import DEMO_ORGANIZATION

SCHEMA_VERSION: Final = 42
# The Grafana whose panel options are written; an older one ignores what it does not know.
GRAFANA_VERSION: Final = "13.2.0"
TAG: Final = "spyglass"
FOLDER: Final = "Spyglass"
REFRESH: Final = "10s"
NO_DATA: Final = "no data"
# The longest interval between two samples of a series; the Prometheus data source's timeInterval says the same.
SCRAPE_SECONDS: Final = 15
TIME_RANGE: Final = {"from": "now-1h", "to": "now"}
GRID_COLUMNS: Final = 24
SHARED_CROSSHAIR: Final = 1
DEMO: Final = DEMO_ORGANIZATION


class Unit(StrEnum):
    """Name the units of Grafana that the dashboards use."""

    COUNT = "short"
    SHARE = "percentunit"
    SECONDS = "s"
    BYTES = "bytes"
    DOLLARS = "currencyUSD"
    TOKENS_PER_SECOND = "suffix: tokens/s"
    PER_SECOND = "ops"
    TIME = "dateTimeAsIso"
    TEXT = "none"


class Colour(StrEnum):
    """Name colours that people with any colour vision tell apart (Okabe and Ito's palette); a status has one only."""

    GOOD = "#009E73"
    WARNING = "#E69F00"
    BAD = "#D55E00"
    UNKNOWN = "#999999"
    NEUTRAL = "#0072B2"
    LOW = "#56B4E9"
    MIDDLE = "#0072B2"
    HIGH = "#CC79A7"


def thresholds(warning: float | None = None, bad: float | None = None, base: Colour = Colour.GOOD) -> dict[str, Any]:
    """Return absolute thresholds: ``base`` below ``warning``, then the warning colour, then the bad one."""
    steps: list[dict[str, Any]] = [{"color": base.value, "value": None}]
    if warning is not None:
        steps.append({"color": Colour.WARNING.value, "value": warning})
    if bad is not None:
        steps.append({"color": Colour.BAD.value, "value": bad})
    return {"mode": "absolute", "steps": steps}


def coverage(warning: float, good: float) -> dict[str, Any]:
    """Return thresholds for what should be complete: bad below ``warning``, good from ``good`` on."""
    steps = [(None, Colour.BAD), (warning, Colour.WARNING), (good, Colour.GOOD)]
    return {"mode": "absolute", "steps": [{"color": colour.value, "value": value} for value, colour in steps]}


PLAIN: Final = thresholds(base=Colour.NEUTRAL)
"""A number that is neither good nor bad."""

SATURATION: Final = thresholds(0.8, 0.9)
"""A share of a resource in use: the alert HostMemoryHigh starts where it turns bad."""

FAILURES: Final = thresholds(0.05, 0.2)
"""A share of calls that failed: the alert AgentErrorRateHigh starts where it turns bad."""


def legend() -> dict[str, Any]:
    """Return the legend of every chart: a table below it with the last and the highest value."""
    return {"showLegend": True, "displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"]}


def tooltip() -> dict[str, Any]:
    """Return the tooltip of every chart: all series at once, the highest first."""
    return {"mode": "multi", "sort": "desc", "hideZeros": False}


def uid(name: str) -> str:
    """Return the uid of a dashboard from the name of its module: it never changes, because addresses hold it."""
    return f"{TAG}-{name.replace('_', '-')}"


def navigation() -> list[dict[str, Any]]:
    """Return the links on every dashboard: a menu of all of them that keeps time range and variables."""
    return [
        {
            "type": "dashboards",
            "title": FOLDER,
            "tags": [TAG],
            "asDropdown": True,
            "includeVars": True,
            "keepTime": True,
            "targetBlank": False,
            "icon": "external link",
            "tooltip": "Other dashboards of spyglass, with this time range and these variables",
            "url": "",
        }
    ]
