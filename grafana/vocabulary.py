"""Say which metrics and labels exist, and which of them a PromQL expression uses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import promql_parser

from spyglass import names
from spyglass.probes.catalog import ENTRIES
from spyglass.prometheus_names import PART_METRICS, STATUS_CODE_LABEL, label_name, series_names

ATTRIBUTE: Final = re.compile(r"[a-z]\w*(\.\w+)+")
# Labels that Prometheus itself gives, and those that the alerts of alertmanager/rules carry.
PROMETHEUS_LABELS: Final = frozenset({"job", "instance", "le", "quantile"})
ALERT_LABELS: Final = frozenset(
    {"alertname", "alertstate", "severity", "owner", "component", "organization", "project", "service", "agent"}
)


@dataclass(frozen=True, slots=True)
class Used:
    """Hold the metrics and the labels that an expression names."""

    metrics: frozenset[str]
    labels: frozenset[str]


def known_metrics() -> frozenset[str]:
    """Return every series name that spyglass, its probes or the parts of the stack can make."""
    own = [name for metric in names.METRICS for name in series_names(metric)]
    probes = [name for entry in ENTRIES.values() for name in series_names(entry)]
    return frozenset([*own, *probes, *(metric.name for metric in PART_METRICS)])


def known_labels() -> frozenset[str]:
    """Return every label that a series of these can carry."""
    own = [label_name(value) for value in _attributes()]
    probes = [label_name(attribute) for entry in ENTRIES.values() for attribute in entry.attributes]
    parts = [label for metric in PART_METRICS for label in metric.labels]
    return frozenset([STATUS_CODE_LABEL, *own, *probes, *parts]) | PROMETHEUS_LABELS | ALERT_LABELS


def used(expression: str) -> Used:
    """Return what a PromQL expression names; raises ValueError with the parser's sentence when it does not parse."""
    nodes = list(_nodes(promql_parser.parse(expression)))
    selectors = [node for node in nodes if isinstance(node, promql_parser.VectorSelector)]
    metrics = [selector.name or "" for selector in selectors]
    matched = [matcher.name for selector in selectors for matcher in selector.matchers.matchers]
    grouped = [label for node in nodes for label in _grouped(node)]
    return Used(frozenset(metrics), frozenset([*matched, *grouped]))


def _attributes() -> Iterator[str]:
    """Yield the attribute names among the constants of the vocabulary: dotted words."""
    for value in vars(names).values():
        if isinstance(value, str) and ATTRIBUTE.fullmatch(value):
            yield value


def _grouped(node: Any) -> Iterator[str]:
    """Yield the labels of by, without, on, ignoring, group_left and group_right."""
    modifier = getattr(node, "modifier", None)
    for place in (modifier, getattr(modifier, "matching", None)):
        yield from getattr(place, "labels", None) or ()
    yield from getattr(modifier, "group_labels", None) or ()


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    for name in ("lhs", "rhs", "expr", "param", "vector_selector", "args"):
        below = getattr(node, name, None)
        for child in below if isinstance(below, list) else [below]:
            if child is not None and type(child).__module__ == type(node).__module__ and hasattr(child, "prettify"):
                yield from _nodes(child)
