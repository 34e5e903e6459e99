"""Compose questions that people ask, so that the gate lets them pass."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.warehouse.hostile import Attempt, lines

_COLUMNS = lines("harmless_columns")
_SOURCES = lines("harmless_sources")
_ENDS = ("", *lines("harmless_ends"))
_HARMLESS_SETTINGS: tuple[dict[str, str], ...] = (
    {},
    {"limit": "3", "offset": "1"},
    {"max_execution_time": "5"},
    {"extremes": "1"},
    {"default_format": "JSONCompact", "wait_end_of_query": "1"},
    {"default_format": "Parquet"},
)


def questions() -> SearchStrategy[Attempt]:
    """Return questions that people ask."""
    columns = st.lists(st.sampled_from(_COLUMNS), min_size=1, max_size=4).map(_named)
    simple = st.builds(
        lambda what, source, end: f"SELECT {what} FROM {source} {end}",
        columns,
        st.sampled_from(_SOURCES),
        st.sampled_from(_ENDS),
    )
    totals = st.builds(
        lambda key, source: (
            f"WITH q AS (SELECT {key} AS k, duration_ns AS d FROM {source}) "
            "SELECT k, count() AS n, quantiles(0.5, 0.95)(d), sum(d) OVER (PARTITION BY k) FROM q GROUP BY k, d"
        ),
        st.sampled_from(_COLUMNS),
        st.sampled_from(_SOURCES),
    )
    parameters = st.sampled_from(_HARMLESS_SETTINGS).map(lambda found: found | {"param_s": "it's file('x')"})
    return st.builds(Attempt, simple | totals, parameters)


def _named(columns: list[str]) -> str:
    return ", ".join(f"{column} AS c{place}" for place, column in enumerate(columns))
