"""Write the statements for metrics and logs: tenant, one name and one unit for one thing, and a time."""

from __future__ import annotations

from collections.abc import Iterator

from spyglass import names
from spyglass.dialects.ottl import Group, any_of, attribute, group, text
from spyglass.dialects.tables import metric_renames

TOKEN_UNIT = "{token}"  # noqa: S105 -- a unit, no secret
TOKEN_UNITS = ("token", "tokens")
OPERATION_OF_POINTS = attribute(names.OPERATION_NAME, "datapoint")


def metric_groups() -> list[Group]:
    """Return the groups for metrics: tenant, one unit for token counts, and the newest names."""
    return [
        group("resource", "", _resource_tenant()),
        group("metric", "", [f"set(metric.unit, {text(TOKEN_UNIT)}) where {any_of('metric.unit', TOKEN_UNITS)}"]),
        group("datapoint", any_of("metric.name", [row.old for row in metric_renames()]), _renames()),
    ]


def log_groups() -> list[Group]:
    """Return the groups for logs: tenant, and a time for those that their sender gave none."""
    timeless = "set(log.observed_time, Now()) where log.time_unix_nano == 0 and log.observed_time_unix_nano == 0"
    return [group("log", "", [*_log_tenant(), timeless])]


def _log_tenant() -> Iterator[str]:
    """Say whose it is: its own, else its resource's, else the default."""
    for key in (names.ORGANIZATION, names.PROJECT):
        place = attribute(key, "log")
        value = f"Coalesce([{attribute(key, 'resource')}, {text(names.DEFAULT_TENANT)}])"
        yield f"set({place}, {value}) where {place} == nil"


def _resource_tenant() -> Iterator[str]:
    for key in (names.ORGANIZATION, names.PROJECT):
        place = attribute(key, "resource")
        yield f"set({place}, {text(names.DEFAULT_TENANT)}) where {place} == nil"


def _renames() -> Iterator[str]:
    """Rename a metric by its points' operation, because some of the old names still stand for other operations."""
    for row in metric_renames():
        old = f"metric.name == {text(row.old)}"
        among = f" and ({any_of(OPERATION_OF_POINTS, row.operations.split('|'))})" if row.operations else ""
        yield f"set(metric.name, {text(row.new)}) where {old}{among}"
