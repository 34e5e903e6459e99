"""Write the pieces that PromQL queries share, so that no query types a metric or label by hand."""

from __future__ import annotations

from typing import Final

from spyglass import names
from spyglass.names import Instrument, Kind, Metric
from spyglass.probes.catalog import ENTRIES
from spyglass.prometheus_names import STATUS_CODE_ERROR, STATUS_CODE_LABEL, label_name, series_name

# The variable of the dashboards that filters by an attribute.
VARIABLES: Final = {
    names.ORGANIZATION: "organization",
    names.PROJECT: "project",
    names.AGENT_NAME: "agent",
    names.REQUEST_MODEL: "model",
}


def select(series: str, *matchers: str) -> str:
    """Return a selector of series that satisfy all matchers."""
    return f"{series}{{{','.join(matchers)}}}" if matchers else series


def equals(attribute: str, value: str) -> str:
    """Return a matcher: the attribute has this value."""
    return f'{label_name(attribute)}="{value}"'


def differs(attribute: str, *values: str) -> str:
    """Return a matcher: the attribute has none of these values."""
    return f'{label_name(attribute)}!~"{"|".join(values)}"'


def present(attribute: str) -> str:
    """Return a matcher: the attribute is there."""
    return f'{label_name(attribute)}!=""'


def matches(attribute: str) -> str:
    """Return a matcher: the attribute has a value that its variable allows."""
    return f'{label_name(attribute)}=~"${VARIABLES[attribute]}"'


def by(*attributes: str) -> str:
    """Return the clause that keeps the labels of these attributes."""
    return f"by ({', '.join(label_name(attribute) for attribute in attributes)})"


def legend(*attributes: str) -> str:
    """Return a legend that shows the values of these attributes."""
    return " · ".join(f"{{{{{label_name(attribute)}}}}}" for attribute in attributes)


def bucket(metric: Metric) -> str:
    """Return the bucket series of a histogram; raises ValueError for another instrument."""
    if metric.instrument is not Instrument.HISTOGRAM:
        raise ValueError(f"{metric.name} is a {metric.instrument}, which has no buckets")
    return f"{series_name(metric)}_bucket"


def probe(metric: str, *matchers: str) -> str:
    """Return a selector of a probe's metric; raises KeyError when the catalogue does not have it."""
    return select(series_name(ENTRIES[metric]), *matchers)


TENANT: Final = (matches(names.ORGANIZATION), matches(names.PROJECT))
OF_AGENT: Final = (*TENANT, matches(names.AGENT_NAME))
IS_RUN: Final = equals(names.KIND, Kind.AGENT)
FAILED: Final = f'{STATUS_CODE_LABEL}="{STATUS_CODE_ERROR}"'
