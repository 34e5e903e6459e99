"""Wrap grafanalib once, typed: panels and dashboards in, Grafana's dashboard model (schema 42) out.

This is the only module that imports grafanalib. Its classes are from 2024 and still write keys of older Grafanas; what
today's schema does not know is dropped here, and what it needs beyond them is added here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from grafanalib import core
from grafanalib._gen import DashboardEncoder

from grafana import style
from grafana.style import Colour, Unit
from grafana.targets import Target

Json = dict[str, Any]
ROW_HEIGHT: Final = 1
REF_IDS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# The keys that schema 42 has, of those that grafanalib writes.
PANEL_KEYS: Final = frozenset(
    [
        "datasource",
        "description",
        "fieldConfig",
        "gridPos",
        "id",
        "interval",
        "links",
        "options",
        "targets",
        "title",
        "transformations",
        "type",
    ]
)
ROW_KEYS: Final = frozenset(["collapsed", "gridPos", "id", "panels", "title", "type"])
DASHBOARD_KEYS: Final = frozenset(
    [
        "annotations",
        "description",
        "editable",
        "graphTooltip",
        "id",
        "links",
        "panels",
        "refresh",
        "schemaVersion",
        "tags",
        "templating",
        "time",
        "title",
        "timezone",
        "uid",
    ]
)
TIME_SERIES, STAT, GAUGE, TABLE = "timeseries", "stat", "gauge", "table"
_CLASSES: Final = {TIME_SERIES: core.TimeSeries, STAT: core.Stat, GAUGE: core.GaugePanel, TABLE: core.Table}


@dataclass(frozen=True, slots=True)
class Column:
    """Say how one column of a table, or one series of a chart, is shown: by its name in the answer."""

    name: str
    title: str = ""
    unit: Unit | None = None
    width: int = 0
    colour: Colour | None = None
    thresholds: Json | None = None
    link: Json | None = None

    def override(self) -> Json:
        """Return the override of the field configuration."""
        properties: Json = {
            "displayName": self.title,
            "unit": self.unit,
            "custom.width": self.width,
            "color": self.colour and {"mode": "fixed", "fixedColor": self.colour.value},
            "thresholds": self.thresholds,
            "custom.cellOptions": self.thresholds and {"type": "color-text"},
            "links": self.link and [self.link],
        }
        return {
            "matcher": {"id": "byName", "options": self.name},
            "properties": [{"id": key, "value": value} for key, value in properties.items() if value],
        }


@dataclass(frozen=True, slots=True)
class Panel:
    """Hold one panel: what it shows, what it means and what to do when it is bad, and how wide and high it is.

    ``unit`` holds for every field without a column of its own. ``empty`` says why it may have no data although all is
    well; a panel without it must always have data. ``interval`` is the narrowest step of its queries.
    """

    kind: str
    title: str
    description: str
    targets: tuple[Target, ...]
    unit: Unit
    width: int
    height: int
    options: Json
    columns: tuple[Column, ...] = ()
    defaults: Json = field(default_factory=dict)
    empty: str = ""
    interval: str = ""
    transformations: tuple[Json, ...] = ()

    def to_json_data(self, identity: int, x: int, y: int) -> Json:
        """Return the panel in Grafana's model at this place of the grid."""
        made = _CLASSES[self.kind](
            title=self.title,
            description=self.description,
            id=identity,
            gridPos=core.GridPos(h=self.height, w=self.width, x=x, y=y),
            interval=self.interval or None,
            dataSource=self.targets[0].datasource,
            transformations=list(self.transformations),
        )
        found = _only(_plain(made), PANEL_KEYS)
        found["targets"] = [
            {**target.to_json_data(), "refId": ref_id} for ref_id, target in zip(REF_IDS, self.targets, strict=False)
        ]
        found["fieldConfig"] = {
            "defaults": {"unit": self.unit, "noValue": self.empty or style.NO_DATA, **self.defaults},
            "overrides": [column.override() for column in self.columns],
        }
        return {**found, "options": self.options, "pluginVersion": style.GRAFANA_VERSION}


@dataclass(frozen=True, slots=True)
class Section:
    """Hold a heading and the panels below it, which flow from left to right."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Hold a dashboard; ``name`` is that of its module and decides uid and file."""

    name: str
    title: str
    description: str
    variables: tuple[Any, ...]
    sections: tuple[Section, ...]

    @property
    def uid(self) -> str:
        """Return the uid, which addresses hold."""
        return style.uid(self.name)

    def to_json_data(self) -> Json:
        """Return the dashboard in Grafana's model."""
        made = core.Dashboard(
            title=self.title,
            description=self.description,
            uid=self.uid,
            tags=[style.TAG],
            refresh=style.REFRESH,
            schemaVersion=style.SCHEMA_VERSION,
            graphTooltip=style.SHARED_CROSSHAIR,
            editable=False,
            timezone="utc",
            links=style.navigation(),
            templating=core.Templating(list=[variable.to_json_data() for variable in self.variables]),
        )
        found = _only(_plain(made), DASHBOARD_KEYS)
        return {**found, "panels": list(_placed(self.sections)), "time": style.TIME_RANGE}


def _placed(sections: Sequence[Section]) -> Iterator[Json]:
    """Yield the rows and panels with ids and places: each line is as high as its highest panel."""
    identity, y = 1, 0
    for section in sections:
        heading = core.RowPanel(
            title=section.title, id=identity, gridPos=core.GridPos(h=ROW_HEIGHT, w=style.GRID_COLUMNS, x=0, y=y)
        )
        yield _only(_plain(heading), ROW_KEYS)
        identity, y = identity + 1, y + ROW_HEIGHT
        x = line = 0
        for panel in section.panels:
            if x + panel.width > style.GRID_COLUMNS:
                x, y, line = 0, y + line, 0
            yield panel.to_json_data(identity, x, y)
            identity, x, line = identity + 1, x + panel.width, max(line, panel.height)
        y += line


def _plain(made: Any) -> Json:
    plain: Json = json.loads(json.dumps(made, cls=DashboardEncoder))
    return plain


def _only(found: Mapping[str, Any], keys: frozenset[str]) -> Json:
    return {key: value for key, value in found.items() if key in keys and value is not None}
