"""Make the kinds of panels that the dashboards use: charts over time, big numbers, dials and tables."""

from __future__ import annotations

from collections.abc import Sequence

from grafana import style
from grafana.panels import GAUGE, STAT, TABLE, TIME_SERIES, Column, Json, Panel
from grafana.style import Unit
from grafana.targets import Target


def _drawing(*, stacked: bool, bars: bool, thresholds: Json | None) -> Json:
    return {
        "drawStyle": "bars" if bars else "line",
        "fillOpacity": 70 if bars else 10,
        "lineWidth": 1,
        "showPoints": "never" if bars else "auto",
        "spanNulls": False,
        "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "dashed" if thresholds else "off"},
    }


def time_series(
    title: str,
    description: str,
    targets: Sequence[Target],
    unit: Unit,
    *,
    width: int = 8,
    height: int = 8,
    columns: Sequence[Column] = (),
    stacked: bool = False,
    bars: bool = False,
    maximum: float | None = None,
    thresholds: Json | None = None,
    name_by: str = "",
    empty: str = "",
) -> Panel:
    """Make a chart over time; bars are as wide as ``$interval``; ``name_by`` is the SQL column that names a series."""
    defaults: Json = {
        "color": {"mode": "palette-classic-by-name"},
        "custom": _drawing(stacked=stacked, bars=bars, thresholds=thresholds),
        "displayName": f"${{__field.labels.{name_by}}}" if name_by else None,
        "max": maximum,
        "min": 0,
        "thresholds": thresholds or style.PLAIN,
    }
    return Panel(
        kind=TIME_SERIES,
        title=title,
        description=description,
        targets=tuple(targets),
        unit=unit,
        width=width,
        height=height,
        options={"legend": style.legend(), "tooltip": style.tooltip()},
        columns=tuple(columns),
        defaults={key: value for key, value in defaults.items() if value is not None},
        empty=empty,
        interval="$interval" if bars else "",
    )


def stat(
    title: str,
    description: str,
    target: Target,
    unit: Unit,
    *,
    field_name: str = "",
    width: int = 3,
    height: int = 4,
    decimals: int | None = None,
    thresholds: Json = style.PLAIN,
    empty: str = "",
) -> Panel:
    """Make one big number; ``field_name`` is the column it stands in where the answer has several."""
    defaults: Json = {"color": {"mode": "thresholds"}, "thresholds": thresholds}
    return Panel(
        kind=STAT,
        title=title,
        description=description,
        targets=(target,),
        unit=unit,
        width=width,
        height=height,
        options={
            "colorMode": "value",
            "graphMode": "none",
            "justifyMode": "auto",
            "orientation": "auto",
            "percentChangeColorMode": "standard",
            "reduceOptions": _reduce(field_name),
            "showPercentChange": False,
            "textMode": "value",
            "wideLayout": True,
        },
        defaults=defaults if decimals is None else {**defaults, "decimals": decimals},
        empty=empty,
    )


def gauge(
    title: str, description: str, target: Target, *, width: int, height: int = 6, thresholds: Json, empty: str = ""
) -> Panel:
    """Make one dial per series for a share from 0 to 1."""
    return Panel(
        kind=GAUGE,
        title=title,
        description=description,
        targets=(target,),
        unit=Unit.SHARE,
        width=width,
        height=height,
        options={
            "minVizHeight": 75,
            "minVizWidth": 75,
            "orientation": "auto",
            "reduceOptions": _reduce(),
            "showThresholdLabels": False,
            "showThresholdMarkers": True,
            "sizing": "auto",
        },
        defaults={"color": {"mode": "thresholds"}, "min": 0, "max": 1, "thresholds": thresholds},
        empty=empty,
    )


def table(
    title: str,
    description: str,
    target: Target,
    columns: Sequence[Column],
    *,
    width: int,
    height: int = 9,
    empty: str = "",
    transformations: Sequence[Json] = (),
) -> Panel:
    """Make a table; columns that are not named are shown as they come."""
    return Panel(
        kind=TABLE,
        title=title,
        description=description,
        targets=(target,),
        unit=Unit.TEXT,
        width=width,
        height=height,
        options={"cellHeight": "sm", "frameIndex": 0, "showHeader": True},
        columns=tuple(columns),
        defaults={"custom": {"align": "auto", "cellOptions": {"type": "auto"}, "filterable": True, "inspect": False}},
        empty=empty,
        transformations=tuple(transformations),
    )


def columns_only(*fields: str) -> Json:
    """Return the transformation that keeps these columns of a table, in this order."""
    order = {name: at for at, name in enumerate(fields)}
    return {"id": "organize", "options": {"includeByName": dict.fromkeys(fields, True), "indexByName": order}}


def _reduce(field_name: str = "") -> Json:
    return {"calcs": ["lastNotNull"], "fields": f"/^{field_name}$/" if field_name else "", "values": False}
