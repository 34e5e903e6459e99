"""Find what is wrong with a dashboard's JSON without any store: one small rule after the other."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from grafana import style, targets
from grafana.live import PanelQuery, queries, used_variables
from grafana.vocabulary import known_labels, known_metrics, used
from spyglass.errors import UsageError

Json = Mapping[str, Any]
LEGEND: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}")
TYPES: Final = frozenset({"row", "timeseries", "stat", "gauge", "table"})
SOURCES: Final = (targets.PROMETHEUS, targets.TEMPO, targets.CLICKHOUSE)
WORDS_THAT_EXPLAIN: Final = 8
ROW: Final = "row"


class Finding(NamedTuple):
    """Say what is wrong with which panel, and by which rule."""

    dashboard: str
    panel: str
    rule: str
    problem: str


def findings(dashboard: Json) -> list[Finding]:
    """Return everything that is wrong with a dashboard, in the order of the rules."""
    return [
        Finding(dashboard["uid"], str(panel), rule.__name__, problem)
        for rule in RULES
        for panel, problem in rule(dashboard)
    ]


Problems = Iterator[tuple[str, str]]


def model(dashboard: Json) -> Problems:
    """Find a dashboard of another schema, without the uid rule's uid or without the tag of the menu."""
    if dashboard["schemaVersion"] != style.SCHEMA_VERSION:
        yield "", f"schemaVersion is {dashboard['schemaVersion']}, not {style.SCHEMA_VERSION}"
    if not dashboard["uid"].startswith(f"{style.TAG}-") or style.TAG not in dashboard["tags"]:
        yield "", f"uid and tags do not say {style.TAG}"


def panel_types(dashboard: Json) -> Problems:
    """Find panels of types that Grafana dropped or that are not used here."""
    for panel in dashboard["panels"]:
        if panel["type"] not in TYPES:
            yield panel["title"], f"type {panel['type']!r} is none of {', '.join(sorted(TYPES))}"


def identities(dashboard: Json) -> Problems:
    """Find panel ids and, within a panel, target ids that occur twice; and titles that do."""
    for key in ("id", "title"):
        for value, times in Counter(panel[key] for panel in _panels(dashboard)).items():
            if times > 1:
                yield str(value), f"{key} {value!r} occurs {times} times"
    for panel in _panels(dashboard):
        if len({target["refId"] for target in panel["targets"]}) < len(panel["targets"]):
            yield panel["title"], "two targets have one refId"


def words(dashboard: Json) -> Problems:
    """Find panels without a title, or whose description says too little to act on."""
    for panel in _panels(dashboard):
        if not panel.get("title", "").strip():
            yield panel["id"], "no title"
        if len(panel.get("description", "").split()) < WORDS_THAT_EXPLAIN:
            yield panel["title"], "the description does not say what it means and what to do when it is bad"


def units(dashboard: Json) -> Problems:
    """Find panels without a unit."""
    for panel in _panels(dashboard):
        if not panel["fieldConfig"]["defaults"].get("unit"):
            yield panel["title"], "no unit"


def sources(dashboard: Json) -> Problems:
    """Find panels and targets without one of the three data sources, and panels without a target."""
    for panel in _panels(dashboard):
        if not panel["targets"]:
            yield panel["title"], "no target"
        for place in (panel, *panel["targets"]):
            if place.get("datasource") not in SOURCES:
                yield panel["title"], f"data source {place.get('datasource')!r} is not provisioned"


def grid(dashboard: Json) -> Problems:
    """Find panels that leave the grid or cover each other."""
    taken: dict[tuple[int, int], str] = {}
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        if place["x"] < 0 or place["w"] < 1 or place["h"] < 1 or place["x"] + place["w"] > style.GRID_COLUMNS:
            yield panel["title"], f"leaves the grid of {style.GRID_COLUMNS} columns: {place}"
        covered = {taken[cell] for cell in _cells(place) if cell in taken}
        for other in sorted(covered):
            yield panel["title"], f"covers {other!r}"
        taken |= dict.fromkeys(_cells(place), panel["title"])


def variables(dashboard: Json) -> Problems:
    """Find variables that are used but not declared, and declared but not used."""
    declared = {variable["name"] for variable in dashboard["templating"]["list"]}
    seen = set()
    for panel in _panels(dashboard):
        for text in _texts({"targets": panel["targets"], "interval": panel.get("interval", "")}):
            for name in used_variables(text):
                seen.add(name)
                if name not in declared:
                    yield panel["title"], f"the variable {name!r} is not declared"
    for name in sorted(declared - seen):
        yield "", f"the variable {name!r} is used by no panel"


def expansion(dashboard: Json) -> Problems:
    """Find targets whose macros or variables cannot be put in."""
    try:
        queries(dashboard)
    except UsageError as error:
        yield "", str(error)


def time_bounds(dashboard: Json) -> Problems:
    """Find SQL that reads all of time."""
    for panel in _panels(dashboard):
        for target in panel["targets"]:
            if "rawSql" in target and "$__timeFilter" not in target["rawSql"]:
                yield panel["title"], "the SQL has no $__timeFilter_ms"


def metric_names(dashboard: Json) -> Problems:
    """Find PromQL that does not parse, or that names a metric or a label that nothing makes."""
    metrics, labels = known_metrics(), known_labels()
    for query in _promql(dashboard):
        try:
            found = used(query.query)
        except ValueError as error:
            yield query.panel, f"{error}: {query.query}"
            continue
        for name in sorted(found.metrics - metrics):
            yield query.panel, f"no metric is called {name!r}"
        for name in sorted(found.labels - labels):
            yield query.panel, f"no label is called {name!r}"


def legends(dashboard: Json) -> Problems:
    """Find legends that show a label that nothing has."""
    for panel in _panels(dashboard):
        for target in panel["targets"]:
            for name in LEGEND.findall(target.get("legendFormat", "")):
                if name not in known_labels():
                    yield panel["title"], f"the legend shows {name!r}, and no label is called so"


RULES: Final[tuple[Callable[[Json], Problems], ...]] = (
    model,
    panel_types,
    identities,
    words,
    units,
    sources,
    grid,
    variables,
    expansion,
    time_bounds,
    metric_names,
    legends,
)


def _panels(dashboard: Json) -> Iterator[Json]:
    return (panel for panel in dashboard["panels"] if panel["type"] != ROW)


def _promql(dashboard: Json) -> Iterator[PanelQuery]:
    try:
        return (query for query in queries(dashboard) if query.store == "prometheus")
    except UsageError:  # the rule expansion finds these
        return iter(())


def _cells(place: Mapping[str, int]) -> Iterator[tuple[int, int]]:
    for x in range(place["x"], place["x"] + place["w"]):
        for y in range(place["y"], place["y"] + place["h"]):
            yield x, y


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for below in value.values():
            yield from _texts(below)
    elif isinstance(value, list | tuple):
        for below in value:
            yield from _texts(below)
